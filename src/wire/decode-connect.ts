import { utf8Text } from '../base/utf8.js';
import { ByteReader, type PacketBytes } from './byte-reader.js';
import {
  type Connect,
  PacketType,
  type ProtocolVersion,
  type QoS,
  type UserProperty,
  type WillMessage,
} from './control-packet.js';
import { PropertyIdentifier, type PropertyValues, WILL } from './property.js';
import { copyPropertiesWithout } from './property-bytes.js';
import { ProtocolViolation, protocolError } from './protocol-violation.js';
import { readProperties } from './read-properties.js';
import { ReasonCode } from './reason-code.js';

const NO_BYTES: Uint8Array = new Uint8Array(0);
const NO_PROPERTIES: PropertyValues = {};
const NO_USER_PROPERTIES: readonly UserProperty[] = [];
const RECEIVE_MAXIMUM_DEFAULT = 65_535;

/** Connect Flags (section 3.1.2.3). */
const Flag = {
  Reserved: 0x01,
  CleanStart: 0x02,
  Will: 0x04,
  WillRetain: 0x20,
  Password: 0x40,
  UserName: 0x80,
} as const;

/**
 *     Protocol Name     UTF-8 Encoded String: MQTT, or MQIsdp in 3.1
 *     Protocol Level    Byte
 *     Connect Flags     Byte: User Name, Password, Will Retain, Will QoS (2), Will, Clean Start, 0
 *     Keep Alive        Two Byte Integer
 *     Properties        5.0
 *     Client Identifier UTF-8 Encoded String
 *     Will Properties   5.0
 *     Will Topic        UTF-8 Encoded String
 *     Will Payload      Binary Data
 *     User Name         UTF-8 Encoded String
 *     Password          Binary Data
 */
export function decodeConnect(source: PacketBytes): Connect {
  const version = decodeProtocolVersion(source);
  const reader = new ByteReader(source, version);
  reader.binaryData('Protocol Name');
  reader.byte('Protocol Level');
  const flags = reader.byte('Connect Flags');
  checkFlags(reader, flags);
  const keepAliveSeconds = reader.twoByteInteger('Keep Alive');
  const properties = version === 5 ? readProperties(reader, PacketType.CONNECT) : NO_PROPERTIES;
  const clientIdentifier = reader.utf8String('Client Identifier'); // [MQTT-3.1.3-4]
  const will = (flags & Flag.Will) === 0 ? undefined : decodeWill(reader, flags);
  const userName = has(reader, flags, Flag.UserName) ? reader.utf8String('User Name') : undefined;
  const password = has(reader, flags, Flag.Password) ? reader.binaryData('Password') : undefined;
  reader.expectEnd('MQTT-3.1.4-1');
  const { authenticationMethod, authenticationData } = properties;
  if (authenticationData !== undefined && authenticationMethod === undefined) {
    protocolError('CONNECT: Authentication Data without Authentication Method');
  }
  return {
    type: PacketType.CONNECT,
    protocolVersion: version,
    cleanStart: (flags & Flag.CleanStart) !== 0,
    keepAliveSeconds,
    clientIdentifier,
    will,
    userName,
    password,
    sessionExpiryIntervalSeconds: properties.sessionExpiryIntervalSeconds ?? 0,
    receiveMaximum: properties.receiveMaximum ?? RECEIVE_MAXIMUM_DEFAULT,
    maximumPacketSizeBytes: properties.maximumPacketSizeBytes,
    topicAliasMaximum: properties.topicAliasMaximum ?? 0,
    requestResponseInformation: properties.requestResponseInformation ?? false,
    requestProblemInformation: properties.requestProblemInformation ?? true,
    userProperties: properties.userProperties ?? NO_USER_PROPERTIES,
    authenticationMethod,
    authenticationData,
  };
}

/** A wrong name and a wrong level share a Reason Code; the statement tells them apart. */
function decodeProtocolVersion(source: PacketBytes): ProtocolVersion {
  const reader = new ByteReader(source, 5);
  const name = reader.binaryData('Protocol Name');
  const text = utf8Text(name, 0, name.length);
  if (text !== 'MQTT' && text !== 'MQIsdp') {
    throw new ProtocolViolation(
      ReasonCode.UnsupportedProtocolVersion,
      'CONNECT: the Protocol Name is neither MQTT nor MQIsdp',
      'MQTT-3.1.2-1',
    );
  }
  const level = reader.byte('Protocol Level');
  if (text === 'MQTT' && (level === 4 || level === 5)) return level;
  if (text === 'MQIsdp' && level === 3) return level;
  throw new ProtocolViolation(
    ReasonCode.UnsupportedProtocolVersion,
    `CONNECT: ${text} with Protocol Level ${level}; known are MQIsdp 3, MQTT 4 and MQTT 5`,
    'MQTT-3.1.2-2',
  );
}

function checkFlags(reader: ByteReader, flags: number): void {
  const { version } = reader;
  if ((flags & Flag.Reserved) !== 0 && version !== 3) {
    reader.malformed('the reserved Connect Flag is set', 'MQTT-3.1.2-3');
  }
  const willQoS = (flags >> 3) & 3;
  if (willQoS === 3) {
    reader.malformed('Will QoS 3 does not exist', `MQTT-3.1.2-${version === 5 ? 12 : 14}`);
  }
  if ((flags & Flag.Will) === 0 && version !== 3) {
    if (willQoS !== 0) {
      reader.malformed('a Will QoS without a Will', `MQTT-3.1.2-${version === 5 ? 11 : 13}`);
    }
    if ((flags & Flag.WillRetain) !== 0) {
      reader.malformed('Will Retain without a Will', `MQTT-3.1.2-${version === 5 ? 13 : 15}`);
    }
  }
  const onlyPassword = (flags & (Flag.UserName | Flag.Password)) === Flag.Password;
  if (onlyPassword && version !== 5) {
    reader.malformed('a Password without a User Name', 'MQTT-3.1.2-22');
  }
}

/**
 * In 3.1 the Remaining Length outranks the flags: a field announced but missing is a field left
 * out.
 */
function has(reader: ByteReader, flags: number, flag: number): boolean {
  return (flags & flag) !== 0 && !(reader.version === 3 && reader.atEnd);
}

function decodeWill(reader: ByteReader, flags: number): WillMessage {
  let properties = NO_PROPERTIES;
  let forwardedProperties = NO_BYTES;
  if (reader.version === 5) {
    const lengthAt = reader.at;
    reader.variableByteInteger('Property Length');
    const start = reader.at;
    reader.at = lengthAt;
    properties = readProperties(reader, WILL);
    forwardedProperties = copyPropertiesWithout(
      reader.bytes,
      start,
      reader.at,
      PropertyIdentifier.WillDelayInterval,
      PropertyIdentifier.MessageExpiryInterval,
    );
  }
  return {
    topicName: reader.utf8String('Will Topic'), // [MQTT-3.1.3-11]
    payload: reader.binaryData('Will Payload'),
    qos: ((flags >> 3) & 3) as QoS,
    retain: (flags & Flag.WillRetain) !== 0,
    delayIntervalSeconds: properties.delayIntervalSeconds ?? 0,
    messageExpiryIntervalSeconds: properties.messageExpiryIntervalSeconds,
    payloadFormatIndicator: properties.payloadFormatIndicator ?? 0,
    forwardedProperties,
  };
}
