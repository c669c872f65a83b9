import { isUtf8 } from '../base/utf8.js';
import { ByteReader, type PacketBytes, utf8Statement } from './byte-reader.js';
import {
  PacketType,
  type ProtocolVersion,
  type PublishPacket,
  type QoS,
  type Sender,
} from './control-packet.js';
import { keep } from './keep.js';
import {
  type PropertyDefinition,
  PropertyIdentifier,
  type PropertyValues,
  propertyDefinition,
} from './property.js';
import { BROKEN, copyPropertiesWithout, propertyEnd } from './property-bytes.js';
import { checkPropertyLength, malformed, protocolError } from './protocol-violation.js';
import { Publish } from './publish.js';
import { HAS_WILDCARD, readProperties, refuseValue } from './read-properties.js';

const NO_PROPERTIES: PropertyValues = {};

/**
 * Decodes the PUBLISH of a client into `publish`, without allocation. The Topic Name's bytes are
 * not looked at: who resolves it checks it.
 *
 *     first byte         DUP, QoS, RETAIN
 *     Remaining Length
 *     Topic Name         UTF-8 Encoded String
 *     Packet Identifier  Two Byte Integer, QoS > 0
 *     Properties         5.0
 *     Payload            the rest
 */
export function decodePublish(
  publish: Publish,
  source: PacketBytes,
  version: ProtocolVersion,
): void {
  decodeHeaders(publish, source, version);
  publish.topicAlias = 0;
  publish.messageExpiryIntervalSeconds = -1;
  publish.payloadFormatIndicator = 0;
  publish.propertiesAreVerbatim = true;
  if (publish.propertiesStart < publish.propertiesEnd) decodeProperties(publish);
  if (publish.topicStart === publish.topicEnd && publish.topicAlias === 0) refuseNoTopic(version);
}

/** Everything in front of the payload but the properties themselves. */
function decodeHeaders(publish: Publish, source: PacketBytes, version: ProtocolVersion): void {
  const { bytes, packetEnd } = source;
  const first = bytes[source.packetStart]!;
  const qos = (first >> 1) & 3;
  if (qos === 3) malformed('PUBLISH: QoS 3 does not exist', 'MQTT-3.3.1-4');
  const dup = (first & 0x08) !== 0;
  if (dup && qos === 0 && version !== 3) {
    malformed('PUBLISH: DUP is set at QoS 0', 'MQTT-3.3.1-2');
  }
  const topicStart = source.bodyStart + 2;
  if (topicStart > packetEnd) endsInside('Topic Name');
  const topicEnd = topicStart + ((bytes[topicStart - 2]! << 8) | bytes[topicStart - 1]!);
  let at = topicEnd;
  let packetIdentifier = 0;
  if (qos > 0) {
    at += 2;
    if (at > packetEnd) endsInside('Topic Name or Packet Identifier');
    packetIdentifier = (bytes[at - 2]! << 8) | bytes[at - 1]!;
    if (packetIdentifier === 0) refuseNoIdentifier(version);
  } else if (at > packetEnd) endsInside('Topic Name');
  publish.bytes = bytes;
  publish.packetStart = source.packetStart;
  publish.packetEnd = packetEnd;
  publish.isOwned = source.isOwned === true;
  publish.dup = dup && qos > 0;
  publish.qos = qos as QoS;
  publish.retain = (first & 1) !== 0;
  publish.topicStart = topicStart;
  publish.topicEnd = topicEnd;
  publish.packetIdentifier = packetIdentifier;
  if (version === 5) decodePropertyLength(publish, at);
  else {
    publish.propertiesStart = at;
    publish.propertiesEnd = at;
    publish.payloadStart = at;
  }
}

function decodePropertyLength(publish: Publish, lengthAt: number): void {
  const { bytes, packetEnd } = publish;
  let at = lengthAt;
  let length = 0;
  let shift = 0;
  let byte: number;
  do {
    if (at === packetEnd) endsInside('Property Length');
    if (shift === 28) malformed('PUBLISH: Property Length is longer than four bytes');
    byte = bytes[at++]!;
    length |= (byte & 0x7f) << shift;
    shift += 7;
  } while (byte >= 0x80);
  if (byte === 0 && shift > 7) {
    malformed('PUBLISH: Property Length is not in its shortest form', 'MQTT-1.5.5-1');
  }
  publish.propertiesStart = at;
  publish.propertiesEnd = at + length;
  publish.payloadStart = at + length;
  if (at + length > packetEnd) {
    malformed('PUBLISH: the Property Length reaches beyond the packet');
  }
  checkPropertyLength(length);
}

/** Checks the properties and takes out the few values that the Server itself uses. */
function decodeProperties(publish: Publish): void {
  const { bytes, propertiesEnd: end } = publish;
  let at = publish.propertiesStart;
  let seen = 0;
  while (at < end) {
    const definition = propertyDefinition(bytes[at]!);
    if (definition === undefined) malformed(`PUBLISH: property ${bytes[at]} does not exist`);
    if ((definition.owners & PUBLISH_BIT) === 0) {
      malformed(`PUBLISH: the property ${definition.name} is not allowed here`);
    }
    if ((seen & definition.bit) !== 0 && (definition.repeatsIn & PUBLISH_BIT) === 0) {
      protocolError(`PUBLISH: the property ${definition.name} stands more than once`);
    }
    seen |= definition.bit;
    const next = propertyEnd(bytes, at, end);
    if (next === BROKEN) endsInside(definition.name);
    decodeProperty(publish, definition, at + 1, next);
    at = next;
  }
}

const PUBLISH_BIT = 1 << PacketType.PUBLISH;

function decodeProperty(
  publish: Publish,
  definition: PropertyDefinition,
  start: number,
  end: number,
): void {
  const { bytes } = publish;
  switch (definition.identifier) {
    case PropertyIdentifier.PayloadFormatIndicator: {
      const value = bytes[start]!;
      if (value > 1) refuseValue(definition, 'is neither 0 nor 1');
      publish.payloadFormatIndicator = value as 0 | 1;
      return;
    }
    case PropertyIdentifier.MessageExpiryInterval:
      publish.messageExpiryIntervalSeconds =
        twoBytes(bytes, start) * 0x10000 + twoBytes(bytes, start + 2);
      publish.propertiesAreVerbatim = false;
      return;
    case PropertyIdentifier.TopicAlias:
      publish.topicAlias = twoBytes(bytes, start);
      if (publish.topicAlias === 0) refuseValue(definition, 'is 0'); // [MQTT-3.3.2-8]
      publish.propertiesAreVerbatim = false;
      return;
    case PropertyIdentifier.ContentType:
      checkUtf8(bytes, start + 2, end, definition); // [MQTT-3.3.2-19]
      return;
    case PropertyIdentifier.ResponseTopic:
      checkUtf8(bytes, start + 2, end, definition); // [MQTT-3.3.2-13]
      for (let at = start + 2; at < end; at++) {
        if (bytes[at] === PLUS || bytes[at] === NUMBER_SIGN) refuseValue(definition, HAS_WILDCARD);
      }
      return;
    case PropertyIdentifier.UserProperty: {
      const valueStart = start + 2 + twoBytes(bytes, start) + 2;
      checkUtf8(bytes, start + 2, valueStart - 2, definition); // [MQTT-1.5.7-1]
      checkUtf8(bytes, valueStart, end, definition);
      return;
    }
    case PropertyIdentifier.SubscriptionIdentifier:
      refuseSubscriptionIdentifier();
  }
}

const PLUS = 0x2b;
const NUMBER_SIGN = 0x23;

function twoBytes(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 8) | bytes[at + 1]!;
}

function checkUtf8(
  bytes: Uint8Array,
  start: number,
  end: number,
  definition: PropertyDefinition,
): void {
  if (isUtf8(bytes, start, end)) return;
  const statement = utf8Statement(bytes, start, end, 5);
  malformed(`PUBLISH: ${definition.name} is not well-formed UTF-8 without U+0000`, statement);
}

/**
 * A copy of the properties to forward unaltered: all but Topic Alias and Message Expiry Interval.
 * [MQTT-3.3.2-4] [MQTT-3.3.2-15] [MQTT-3.3.2-16] [MQTT-3.3.2-17] [MQTT-3.3.2-18] [MQTT-3.3.2-20]
 */
export function forwardedProperties(publish: Publish): Uint8Array {
  const { bytes, propertiesStart, propertiesEnd } = publish;
  if (publish.propertiesAreVerbatim) return keep(bytes, propertiesStart, propertiesEnd);
  return copyPropertiesWithout(
    bytes,
    propertiesStart,
    propertiesEnd,
    PropertyIdentifier.TopicAlias,
    PropertyIdentifier.MessageExpiryInterval,
  );
}

/**
 * A PUBLISH as a value that owns all its parts. Subscription Identifiers may come from a Server
 * only. Whether the Topic Name has wildcards is for its reader to judge; that it is UTF-8 is
 * checked here.
 */
export function decodePublishPacket(
  source: PacketBytes,
  version: ProtocolVersion,
  from: Sender,
): PublishPacket {
  const publish = new Publish();
  decodeHeaders(publish, source, version);
  const reader = new ByteReader(source, version);
  const topicName = reader.utf8String('Topic Name'); // [MQTT-3.3.2-1]
  let properties = NO_PROPERTIES;
  if (publish.qos > 0) reader.twoByteInteger('Packet Identifier');
  if (version === 5) properties = readProperties(reader, PacketType.PUBLISH);
  const { subscriptionIdentifiers, topicAlias } = properties;
  if (from === 'client' && subscriptionIdentifiers !== undefined) refuseSubscriptionIdentifier();
  if (topicName === '' && topicAlias === undefined) refuseNoTopic(version);
  return {
    type: PacketType.PUBLISH,
    dup: publish.dup,
    qos: publish.qos,
    retain: publish.retain,
    topicName,
    packetIdentifier: publish.packetIdentifier,
    payload: keep(publish.bytes, publish.payloadStart, publish.packetEnd),
    payloadFormatIndicator: properties.payloadFormatIndicator,
    messageExpiryIntervalSeconds: properties.messageExpiryIntervalSeconds,
    topicAlias,
    responseTopic: properties.responseTopic,
    correlationData: properties.correlationData,
    userProperties: properties.userProperties,
    subscriptionIdentifiers,
    contentType: properties.contentType,
  };
}

function endsInside(field: string): never {
  malformed(`PUBLISH: the packet ends inside its ${field}`);
}

function refuseNoTopic(version: ProtocolVersion): never {
  if (version === 5) protocolError('PUBLISH: neither a Topic Name nor a Topic Alias');
  protocolError('PUBLISH: the Topic Name is empty', 'MQTT-4.7.3-1');
}

function refuseNoIdentifier(version: ProtocolVersion): never {
  const statement = version === 5 ? 'MQTT-2.2.1-3' : 'MQTT-2.3.1-1';
  protocolError('PUBLISH: the Packet Identifier is 0', statement);
}

function refuseSubscriptionIdentifier(): never {
  protocolError('PUBLISH: a client may not send a Subscription Identifier', 'MQTT-3.3.4-6');
}
