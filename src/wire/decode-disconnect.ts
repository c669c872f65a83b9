import { ByteReader, type PacketBytes } from './byte-reader.js';
import {
  type Auth,
  type Disconnect,
  PacketType,
  type ProtocolVersion,
  type Sender,
} from './control-packet.js';
import type { PropertyValues } from './property.js';
import { protocolError } from './protocol-violation.js';
import { readReasonCode } from './read-fields.js';
import { readProperties } from './read-properties.js';
import { ReasonCode } from './reason-code.js';

const NO_PROPERTIES: PropertyValues = {};

/**
 *     Reason Code  5.0; left out: Normal disconnection
 *     Properties   5.0; left out: none
 */
export function decodeDisconnect(
  source: PacketBytes,
  version: ProtocolVersion,
  from: Sender,
): Disconnect {
  const reader = new ByteReader(source, version);
  let reasonCode: ReasonCode = ReasonCode.NormalDisconnection;
  let properties = NO_PROPERTIES;
  if (version === 5 && !reader.atEnd) {
    reasonCode = readReasonCode(reader, PacketType.DISCONNECT, from);
    if (!reader.atEnd) properties = readProperties(reader, PacketType.DISCONNECT);
  }
  reader.expectEnd();
  const { sessionExpiryIntervalSeconds, reasonString, userProperties, serverReference } =
    properties;
  if (from === 'server' && sessionExpiryIntervalSeconds !== undefined) {
    protocolError('DISCONNECT: a server may not send a Session Expiry Interval', 'MQTT-3.14.2-2');
  }
  if (from === 'client' && serverReference !== undefined) {
    protocolError('DISCONNECT: a client may not send a Server Reference');
  }
  return {
    type: PacketType.DISCONNECT,
    reasonCode,
    sessionExpiryIntervalSeconds,
    reasonString,
    userProperties,
    serverReference,
  };
}

/**
 *     Reason Code  both left out: Success and no properties
 *     Properties
 */
export function decodeAuth(source: PacketBytes, version: ProtocolVersion, from: Sender): Auth {
  const reader = new ByteReader(source, version);
  let reasonCode: ReasonCode = ReasonCode.Success;
  let properties = NO_PROPERTIES;
  if (reader.atEnd) {
    if (from === 'client') {
      protocolError('AUTH: a client may not use Reason Code 0x00 here', 'MQTT-3.15.2-1');
    }
  } else {
    reasonCode = readReasonCode(reader, PacketType.AUTH, from);
    properties = readProperties(reader, PacketType.AUTH);
    reader.expectEnd();
    if (properties.authenticationMethod === undefined) {
      protocolError('AUTH: no Authentication Method', 'MQTT-4.12.0-5');
    }
  }
  const { authenticationMethod, authenticationData, reasonString, userProperties } = properties;
  return {
    type: PacketType.AUTH,
    reasonCode,
    authenticationMethod,
    authenticationData,
    reasonString,
    userProperties,
  };
}
