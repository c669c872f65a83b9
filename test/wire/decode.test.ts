import { describe, expect, it } from 'vitest';
import { PacketType, type ProtocolVersion, type Sender } from '../../src/wire/control-packet.js';
import { firstByteOf } from '../../src/wire/fixed-header.js';
import { bytes, decoded, packet, refusal } from './bytes.js';

const BODIES: Readonly<Record<number, string>> = {
  [PacketType.PUBACK]: '00 01',
  [PacketType.PUBREC]: '00 01',
  [PacketType.PUBREL]: '00 01',
  [PacketType.PUBCOMP]: '00 01',
  [PacketType.SUBSCRIBE]: "00 01 00 01 'a' 00",
  [PacketType.UNSUBSCRIBE]: "00 01 00 01 'a'",
  [PacketType.CONNACK]: '00 00',
  [PacketType.SUBACK]: '00 01 00',
  [PacketType.UNSUBACK]: '00 01',
  [PacketType.CONNECT]: "00 04 'MQTT' 04 02 00 00 00 00",
};
const OWN_STATEMENTS: Readonly<Record<number, string>> = {
  [PacketType.PUBREL]: 'MQTT-3.6.1-1',
  [PacketType.SUBSCRIBE]: 'MQTT-3.8.1-1',
  [PacketType.UNSUBSCRIBE]: 'MQTT-3.10.1-1',
  [PacketType.DISCONNECT]: 'MQTT-3.14.1-1',
  [PacketType.AUTH]: 'MQTT-3.15.1-1',
};
const FROM_SERVER: readonly PacketType[] = [
  PacketType.CONNACK,
  PacketType.SUBACK,
  PacketType.UNSUBACK,
  PacketType.PINGRESP,
];
const FROM_CLIENT: readonly PacketType[] = [
  PacketType.CONNECT,
  PacketType.SUBSCRIBE,
  PacketType.UNSUBSCRIBE,
  PacketType.PINGREQ,
];
const FIXED = Object.values(PacketType).filter((type) => type !== PacketType.PUBLISH);

function senderOf(type: PacketType): Sender {
  return FROM_SERVER.includes(type) ? 'server' : 'client';
}

describe('the Fixed Header', () => {
  it.each(FIXED)('of type %i takes one value of the flags', (type) => {
    const version = type === PacketType.AUTH ? 5 : 4;
    const right = firstByteOf(type) & 0x0f;
    for (let flags = 0; flags < 16; flags++) {
      if (flags === right) continue;
      const whole = packet((type << 4) | flags, BODIES[type] ?? '');
      const statement = OWN_STATEMENTS[type] ?? 'MQTT-2.2.2-2';
      expect(refusal(() => decoded(whole, version, senderOf(type)))).toBe(`81 ${statement}`);
    }
  });

  it.each([PacketType.PUBREL, PacketType.SUBSCRIBE, PacketType.UNSUBSCRIBE])(
    'of type %i may carry DUP in 3.1',
    (type) => {
      for (const flags of [0x02, 0x0a, 0x00]) {
        const body = type === PacketType.SUBSCRIBE ? "00 01 00 01 'a' 00" : BODIES[type]!;
        const whole = packet((type << 4) | flags, type === 10 ? "00 01 00 01 'a'" : body);
        expect(decoded(whole, 3).type).toBe(type);
      }
    },
  );

  it.each(FROM_SERVER)('refuses type %i from a client', (type) => {
    expect(refusal(() => decoded(packet(type << 4, BODIES[type] ?? ''), 4))).toBe('82');
  });

  it.each(FROM_CLIENT)('refuses type %i from a server', (type) => {
    const whole = packet(firstByteOf(type), BODIES[type] ?? '');
    expect(refusal(() => decoded(whole, 4, 'server'))).toBe('82');
  });

  it.each([3, 4] as ProtocolVersion[])('knows no AUTH in version %i', (version) => {
    expect(refusal(() => decoded(bytes('f0 00'), version))).toBe('81 MQTT-2.2.2-2');
  });
});

describe('PINGREQ and PINGRESP', () => {
  it('have no body', () => {
    expect(decoded(bytes('c0 00'), 5)).toEqual({ type: PacketType.PINGREQ });
    expect(decoded(bytes('d0 00'), 5, 'server')).toEqual({ type: PacketType.PINGRESP });
    expect(refusal(() => decoded(bytes('c0 01 00'), 5))).toBe('81');
  });
});
