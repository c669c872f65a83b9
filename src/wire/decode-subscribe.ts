import { ByteReader, type PacketBytes } from './byte-reader.js';
import {
  PacketType,
  type ProtocolVersion,
  type QoS,
  type Subscribe,
  type SubscribeEntry,
  type SubscriptionOptions,
  type Unsubscribe,
  type UserProperty,
} from './control-packet.js';
import type { PropertyValues } from './property.js';
import { protocolError } from './protocol-violation.js';
import { readPacketIdentifier } from './read-fields.js';
import { readProperties } from './read-properties.js';

const NO_PROPERTIES: PropertyValues = {};
const NO_USER_PROPERTIES: readonly UserProperty[] = [];

/**
 * Topic Filters are UTF-8 here; whether they are valid filters is for their reader to judge.
 *
 *     Packet Identifier      Two Byte Integer
 *     Properties             5.0
 *     { Topic Filter         UTF-8 Encoded String
 *       Subscription Options Byte } at least one
 */
export function decodeSubscribe(source: PacketBytes, version: ProtocolVersion): Subscribe {
  const reader = new ByteReader(source, version);
  const packetIdentifier = readPacketIdentifier(reader);
  const properties = version === 5 ? readProperties(reader, PacketType.SUBSCRIBE) : NO_PROPERTIES;
  if (reader.atEnd) {
    const statement = version === 5 ? 'MQTT-3.8.3-2' : 'MQTT-3.8.3-3';
    protocolError('SUBSCRIBE: no Topic Filter', statement);
  }
  const entries: SubscribeEntry[] = [];
  do {
    const topicFilter = reader.utf8String('Topic Filter'); // [MQTT-3.8.3-1]
    const byte = reader.byte('Subscription Options');
    const options =
      version === 5 ? decodeOptions(reader, byte) : decodeRequestedQoS(reader, byte, version);
    if (options.noLocal && topicFilter.startsWith('$share/')) {
      protocolError('SUBSCRIBE: No Local on a Shared Subscription', 'MQTT-3.8.3-4');
    }
    entries.push({ topicFilter, options });
  } while (!reader.atEnd);
  return {
    type: PacketType.SUBSCRIBE,
    packetIdentifier,
    subscriptionIdentifier: properties.subscriptionIdentifiers?.[0],
    userProperties: properties.userProperties ?? NO_USER_PROPERTIES,
    entries,
  };
}

/**
 *     bit  7 6        5 4              3                    2         1 0
 *          reserved   Retain Handling  Retain As Published  No Local  Maximum QoS
 */
function decodeOptions(reader: ByteReader, byte: number): SubscriptionOptions {
  if ((byte & 0xc0) !== 0) {
    reader.malformed('reserved bits of the Subscription Options are set', 'MQTT-3.8.3-5');
  }
  const qos = byte & 3;
  if (qos === 3) protocolError('SUBSCRIBE: Maximum QoS 3 does not exist');
  const retainHandling = (byte >> 4) & 3;
  if (retainHandling === 3) protocolError('SUBSCRIBE: Retain Handling 3 does not exist');
  return {
    qos: qos as QoS,
    noLocal: (byte & 0x04) !== 0,
    retainAsPublished: (byte & 0x08) !== 0,
    retainHandling: retainHandling as 0 | 1 | 2,
  };
}

/** Before 5.0 the byte is a QoS; 3.1 says nothing about the bits above it. */
function decodeRequestedQoS(
  reader: ByteReader,
  byte: number,
  version: ProtocolVersion,
): SubscriptionOptions {
  const qos = byte & 3;
  if (qos === 3 || (byte !== qos && version !== 3)) {
    reader.malformed(`the requested QoS is ${byte}`, 'MQTT-3.8.3-4');
  }
  return { qos: qos as QoS, noLocal: false, retainAsPublished: false, retainHandling: 0 };
}

/**
 *     Packet Identifier  Two Byte Integer
 *     Properties         5.0
 *     { Topic Filter     UTF-8 Encoded String } at least one
 */
export function decodeUnsubscribe(source: PacketBytes, version: ProtocolVersion): Unsubscribe {
  const reader = new ByteReader(source, version);
  const packetIdentifier = readPacketIdentifier(reader);
  const properties = version === 5 ? readProperties(reader, PacketType.UNSUBSCRIBE) : NO_PROPERTIES;
  if (reader.atEnd) protocolError('UNSUBSCRIBE: no Topic Filter', 'MQTT-3.10.3-2');
  const topicFilters: string[] = [];
  do {
    topicFilters.push(reader.utf8String('Topic Filter')); // [MQTT-3.10.3-1]
  } while (!reader.atEnd);
  return {
    type: PacketType.UNSUBSCRIBE,
    packetIdentifier,
    userProperties: properties.userProperties ?? NO_USER_PROPERTIES,
    topicFilters,
  };
}
