import { describe, expect, it } from 'vitest';
import { PacketType } from '../../src/wire/control-packet.js';
import { packetTypeName } from '../../src/wire/packet-type-name.js';
import { isAllowedIn, ReasonCode, reasonCodeName } from '../../src/wire/reason-code.js';

const P = PacketType;
const FAILED = [0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99];
// biome-ignore format: groups of the specification's table
const CLIENT_DISCONNECT = [
  0x00, 0x04, 0x80, 0x81, 0x82, 0x83, 0x90, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99,
];
// biome-ignore format: groups of the specification's table
const SERVER_DISCONNECT = [
  0x00, 0x80, 0x81, 0x82, 0x83, 0x87, 0x89, 0x8b, 0x8c, 0x8d, 0x8e, 0x8f, 0x90, 0x93, 0x94, 0x95,
  0x96, 0x97, 0x98, 0x99, 0x9a, 0x9b, 0x9c, 0x9d, 0x9e, 0x9f, 0xa0, 0xa1, 0xa2,
];
// biome-ignore format: groups of the specification's table
const CONNACK = [
  0x00, 0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x8c, 0x90, 0x95, 0x97,
  0x99, 0x9a, 0x9b, 0x9c, 0x9d, 0x9f,
];

/** The tables of the packets' own sections in 5.0: by a client, by a server. */
const SPECIFIED: readonly [PacketType, readonly number[], readonly number[]][] = [
  [P.CONNACK, [], CONNACK],
  [P.PUBACK, [0x00, ...FAILED], [0x00, 0x10, ...FAILED]],
  [P.PUBREC, [0x00, ...FAILED], [0x00, 0x10, ...FAILED]],
  [P.PUBREL, [0x00, 0x92], [0x00, 0x92]],
  [P.PUBCOMP, [0x00, 0x92], [0x00, 0x92]],
  [P.SUBACK, [], [0, 1, 2, 0x80, 0x83, 0x87, 0x8f, 0x91, 0x97, 0x9e, 0xa1, 0xa2]],
  [P.UNSUBACK, [], [0x00, 0x11, 0x80, 0x83, 0x87, 0x8f, 0x91]],
  [P.DISCONNECT, CLIENT_DISCONNECT, SERVER_DISCONNECT],
  [P.AUTH, [0x18, 0x19], [0x00, 0x18]],
];
const ALL = Array.from({ length: 256 }, (_, code) => code);

describe('the table of Reason Codes', () => {
  it.each(SPECIFIED)('lists those of packet type %i', (type, byClient, byServer) => {
    expect(ALL.filter((code) => isAllowedIn(code, type, 'client'))).toEqual(byClient);
    expect(ALL.filter((code) => isAllowedIn(code, type, 'server'))).toEqual(byServer);
  });

  it('lists none for packets without a Reason Code', () => {
    for (const type of [P.CONNECT, P.PUBLISH, P.SUBSCRIBE, P.UNSUBSCRIBE, P.PINGREQ, P.PINGRESP]) {
      expect(ALL.some((code) => isAllowedIn(code, type, 'client'))).toBe(false);
      expect(ALL.some((code) => isAllowedIn(code, type, 'server'))).toBe(false);
    }
  });

  it('names every code as the specification does', () => {
    for (const [key, code] of Object.entries(ReasonCode)) {
      const aliases = ['NormalDisconnection', 'GrantedQoS0'];
      if (aliases.includes(key)) continue;
      expect(reasonCodeName(code).replaceAll(/[ -]/g, '').toLowerCase()).toBe(key.toLowerCase());
    }
    expect(reasonCodeName(0, P.SUBACK)).toBe('Granted QoS 0');
    expect(reasonCodeName(0, P.DISCONNECT)).toBe('Normal disconnection');
    expect(reasonCodeName(0, P.PUBACK)).toBe('Success');
    expect(reasonCodeName(0x03)).toBe('0x03');
  });
});

describe('packetTypeName', () => {
  it('names the fifteen types', () => {
    for (const [name, type] of Object.entries(PacketType)) expect(packetTypeName(type)).toBe(name);
    expect(packetTypeName(0)).toBe('reserved');
  });
});
