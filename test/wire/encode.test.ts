import { describe, expect, it } from 'vitest';
import {
  type Connect,
  type ControlPacket,
  PacketType,
  type ProtocolVersion,
} from '../../src/wire/control-packet.js';
import { encode } from '../../src/wire/encode.js';
import { SUCCESS_BYTES, writeSuccess } from '../../src/wire/encode-acknowledgement.js';
import { ReasonCode } from '../../src/wire/reason-code.js';
import { bytes } from './bytes.js';

const CONNECT: Connect = {
  type: PacketType.CONNECT,
  protocolVersion: 5,
  cleanStart: true,
  keepAliveSeconds: 10,
  clientIdentifier: 'c',
  will: undefined,
  userName: undefined,
  password: undefined,
  sessionExpiryIntervalSeconds: 0,
  receiveMaximum: 65_535,
  maximumPacketSizeBytes: undefined,
  topicAliasMaximum: 0,
  requestResponseInformation: false,
  requestProblemInformation: true,
  userProperties: [],
  authenticationMethod: undefined,
  authenticationData: undefined,
};
const OPTIONS = { qos: 1, noLocal: true, retainAsPublished: true, retainHandling: 2 } as const;

const CASES: readonly [string, ControlPacket, ProtocolVersion, string][] = [
  [
    'leaves out properties that have their default',
    CONNECT,
    5,
    "10 0e 00 04 'MQTT' 05 02 00 0a 00 00 01 'c'",
  ],
  [
    'names 3.1 as 3.1 does',
    { ...CONNECT, protocolVersion: 3 },
    3,
    "10 0f 00 06 'MQIsdp' 03 02 00 0a 00 01 'c'",
  ],
  [
    'writes Session Present',
    { type: PacketType.CONNACK, sessionPresent: true, reasonCode: ReasonCode.Success },
    4,
    '20 02 01 00',
  ],
  [
    'writes no Session Present in 3.1',
    { type: PacketType.CONNACK, sessionPresent: true, reasonCode: ReasonCode.Success },
    3,
    '20 02 00 00',
  ],
  [
    'writes no Session Present in a refusal',
    { type: PacketType.CONNACK, sessionPresent: true, reasonCode: ReasonCode.NotAuthorized },
    5,
    '20 03 00 87 00',
  ],
  [
    'maps a refusal to a return code',
    {
      type: PacketType.CONNACK,
      sessionPresent: false,
      reasonCode: ReasonCode.ClientIdentifierNotValid,
      reasonString: 'is not sent before 5.0',
    },
    4,
    '20 02 00 02',
  ],
  [
    'writes false, 0 and the empty string as values of a property',
    {
      type: PacketType.CONNACK,
      sessionPresent: false,
      reasonCode: ReasonCode.Success,
      serverKeepAliveSeconds: 0,
      retainAvailable: false,
      responseInformation: '',
    },
    5,
    '20 0b 00 00 08 13 00 00 1a 00 00 25 00',
  ],
  [
    'ends an acknowledgement behind the Packet Identifier',
    { type: PacketType.PUBREL, packetIdentifier: 0x1234, reasonCode: ReasonCode.Success },
    5,
    '62 02 12 34',
  ],
  [
    'ends an acknowledgement behind the Reason Code',
    { type: PacketType.PUBACK, packetIdentifier: 1, reasonCode: ReasonCode.QuotaExceeded },
    5,
    '40 03 00 01 97',
  ],
  [
    'writes Success in front of properties',
    {
      type: PacketType.PUBACK,
      packetIdentifier: 1,
      reasonCode: ReasonCode.Success,
      reasonString: 'r',
    },
    5,
    "40 08 00 01 00 04 1f 00 01 'r'",
  ],
  [
    'leaves the Reason Code out before 5.0',
    { type: PacketType.PUBACK, packetIdentifier: 1, reasonCode: ReasonCode.QuotaExceeded },
    4,
    '40 02 00 01',
  ],
  [
    'writes Subscription Options',
    {
      type: PacketType.SUBSCRIBE,
      packetIdentifier: 1,
      subscriptionIdentifier: 200,
      userProperties: [],
      entries: [{ topicFilter: 'a', options: OPTIONS }],
    },
    5,
    "82 0a 00 01 03 0b c8 01 00 01 'a' 2d",
  ],
  [
    'writes nothing but the QoS before 5.0',
    {
      type: PacketType.SUBSCRIBE,
      packetIdentifier: 1,
      subscriptionIdentifier: 200,
      userProperties: [],
      entries: [{ topicFilter: 'a', options: OPTIONS }],
    },
    4,
    "82 06 00 01 00 01 'a' 01",
  ],
  [
    'maps failed subscriptions to 0x80',
    {
      type: PacketType.SUBACK,
      packetIdentifier: 1,
      reasonCodes: [ReasonCode.GrantedQoS2, ReasonCode.NotAuthorized],
    },
    3,
    '90 04 00 01 02 80',
  ],
  [
    'writes no payload of UNSUBACK before 5.0',
    { type: PacketType.UNSUBACK, packetIdentifier: 1, reasonCodes: [ReasonCode.Success] },
    4,
    'b0 02 00 01',
  ],
  [
    'writes the payload of UNSUBACK',
    {
      type: PacketType.UNSUBACK,
      packetIdentifier: 1,
      reasonCodes: [ReasonCode.NoSubscriptionExisted],
    },
    5,
    'b0 04 00 01 00 11',
  ],
  [
    'leaves a normal DISCONNECT empty',
    { type: PacketType.DISCONNECT, reasonCode: ReasonCode.NormalDisconnection },
    5,
    'e0 00',
  ],
  [
    'ends DISCONNECT behind the Reason Code',
    { type: PacketType.DISCONNECT, reasonCode: ReasonCode.SessionTakenOver },
    5,
    'e0 01 8e',
  ],
  [
    'has no Reason Code of DISCONNECT before 5.0',
    { type: PacketType.DISCONNECT, reasonCode: ReasonCode.SessionTakenOver, reasonString: 'r' },
    4,
    'e0 00',
  ],
  [
    'leaves a successful AUTH without properties empty',
    { type: PacketType.AUTH, reasonCode: ReasonCode.Success },
    5,
    'f0 00',
  ],
  ['writes PINGREQ', { type: PacketType.PINGREQ }, 5, 'c0 00'],
  ['writes PINGRESP', { type: PacketType.PINGRESP }, 3, 'd0 00'],
];

describe('encode', () => {
  it.each(CASES)('%s', (_, packet, version, expected) => {
    expect(encode(packet, version)).toEqual(bytes(expected));
  });

  it('never sets DUP at QoS 0', () => {
    const packet: ControlPacket = {
      type: PacketType.PUBLISH,
      dup: true,
      qos: 0,
      retain: true,
      topicName: 't',
      packetIdentifier: 0,
      payload: bytes("'x'"),
    };
    expect(encode(packet, 4)).toEqual(bytes("31 04 00 01 't' 'x'"));
  });
});

describe('writeSuccess', () => {
  it.each([4, 5, 6, 7] as const)('writes what encode writes for type %i', (type) => {
    const target = new Uint8Array(SUCCESS_BYTES + 2);
    writeSuccess(target, 1, type, 0xfedc);
    const packet = { type, packetIdentifier: 0xfedc, reasonCode: ReasonCode.Success };
    expect(target).toEqual(Uint8Array.of(0, ...encode(packet, 5), 0));
  });
});
