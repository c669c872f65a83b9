import { ByteReader, type PacketBytes } from './byte-reader.js';
import {
  type Connack,
  PacketType,
  type ProtocolVersion,
  type SubscribeAcknowledgement,
} from './control-packet.js';
import type { PropertyValues } from './property.js';
import { protocolError } from './protocol-violation.js';
import { readPacketIdentifier, readReasonCode } from './read-fields.js';
import { readProperties } from './read-properties.js';
import { ReasonCode } from './reason-code.js';
import { reasonCodeOfReturnCode } from './return-code.js';

const NO_PROPERTIES: PropertyValues = {};

/**
 *     Connect Acknowledge Flags  Byte: Session Present in bit 0, the others 0
 *     Reason Code                Byte; before 5.0 a return code
 *     Properties                 5.0
 */
export function decodeConnack(source: PacketBytes, version: ProtocolVersion): Connack {
  const reader = new ByteReader(source, version);
  const flags = reader.byte('Connect Acknowledge Flags');
  if (flags > 1 && version !== 3) {
    reader.malformed('reserved Connect Acknowledge Flags are set', 'MQTT-3.2.2-1');
  }
  let reasonCode: ReasonCode;
  let properties = NO_PROPERTIES;
  if (version === 5) {
    reasonCode = readReasonCode(reader, PacketType.CONNACK, 'server');
    properties = readProperties(reader, PacketType.CONNACK);
  } else {
    reasonCode = reasonCodeOfReturnCode(reader.byte('Connect Return code'));
  }
  reader.expectEnd();
  const sessionPresent = (flags & 1) === 1 && version !== 3;
  if (sessionPresent && reasonCode !== ReasonCode.Success) {
    const statement = version === 5 ? 'MQTT-3.2.2-6' : 'MQTT-3.2.2-4';
    protocolError('CONNACK: Session Present in a refusal', statement);
  }
  return {
    type: PacketType.CONNACK,
    sessionPresent,
    reasonCode,
    sessionExpiryIntervalSeconds: properties.sessionExpiryIntervalSeconds,
    receiveMaximum: properties.receiveMaximum,
    maximumQoS: properties.maximumQoS,
    retainAvailable: properties.retainAvailable,
    maximumPacketSizeBytes: properties.maximumPacketSizeBytes,
    assignedClientIdentifier: properties.assignedClientIdentifier,
    topicAliasMaximum: properties.topicAliasMaximum,
    reasonString: properties.reasonString,
    userProperties: properties.userProperties,
    wildcardSubscriptionAvailable: properties.wildcardSubscriptionAvailable,
    subscriptionIdentifiersAvailable: properties.subscriptionIdentifiersAvailable,
    sharedSubscriptionAvailable: properties.sharedSubscriptionAvailable,
    serverKeepAliveSeconds: properties.serverKeepAliveSeconds,
    responseInformation: properties.responseInformation,
    serverReference: properties.serverReference,
    authenticationMethod: properties.authenticationMethod,
    authenticationData: properties.authenticationData,
  };
}

/**
 * SUBACK, UNSUBACK. Before 5.0 an UNSUBACK has no payload.
 *
 *     Packet Identifier  Two Byte Integer
 *     Properties         5.0
 *     { Reason Code      Byte }
 */
export function decodeSubscribeAcknowledgement(
  source: PacketBytes,
  version: ProtocolVersion,
): SubscribeAcknowledgement {
  const reader = new ByteReader(source, version);
  const type = (source.bytes[source.packetStart]! >> 4) as SubscribeAcknowledgement['type'];
  const packetIdentifier = readPacketIdentifier(reader);
  const properties = version === 5 ? readProperties(reader, type) : NO_PROPERTIES;
  const reasonCodes: ReasonCode[] = [];
  if (version === 5 || type === PacketType.SUBACK) {
    do {
      reasonCodes.push(
        version === 5 ? readReasonCode(reader, type, 'server') : readGrantedQoS(reader),
      );
    } while (!reader.atEnd);
  }
  reader.expectEnd();
  const { reasonString, userProperties } = properties;
  return { type, packetIdentifier, reasonCodes, reasonString, userProperties };
}

function readGrantedQoS(reader: ByteReader): ReasonCode {
  const code = reader.byte('return code');
  if (code > 2 && code !== ReasonCode.UnspecifiedError) {
    protocolError(`SUBACK: return code ${code} does not exist`, 'MQTT-3.9.3-2');
  }
  return code as ReasonCode;
}
