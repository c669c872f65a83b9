import { describe, expect, it } from 'vitest';
import { PacketType } from '../../src/wire/control-packet.js';
import { decoded, packet, refusal } from './bytes.js';

describe('DISCONNECT', () => {
  it.each([3, 4, 5] as const)('without a body is normal in version %i', (version) => {
    const expected = { type: PacketType.DISCONNECT, reasonCode: 0 };
    expect(decoded(packet(0xe0, ''), version)).toEqual(expected);
  });

  it('may end behind the Reason Code', () => {
    expect(decoded(packet(0xe0, '04'), 5)).toMatchObject({ reasonCode: 0x04 });
  });

  it('has properties that depend on the sender', () => {
    expect(decoded(packet(0xe0, '00 05 11 00 00 01 00'), 5)).toMatchObject({
      sessionExpiryIntervalSeconds: 256,
    });
    const moved = packet(0xe0, "9d 09 1f 00 01 'm' 1c 00 02 's2'");
    expect(decoded(moved, 5, 'server')).toMatchObject({ reasonString: 'm', serverReference: 's2' });
  });

  it.each([
    ['an unknown Reason Code', '03', 'client', '82 MQTT-3.14.2-1'],
    ['a code for servers', '8b', 'client', '82 MQTT-3.14.2-1'],
    ['a code for clients', '04', 'server', '82 MQTT-3.14.2-1'],
    ['a Server Reference', "00 04 1c 00 01 's'", 'client', '82'],
    ['a Session Expiry Interval', '00 05 11 00 00 00 01', 'server', '82 MQTT-3.14.2-2'],
    ['a property of another packet', '00 03 21 00 01', 'client', '81'],
    ['bytes behind the properties', '00 00 00', 'client', '81'],
  ] as const)('is refused for %s (%s) from a %s', (_, body, from, code) => {
    expect(refusal(() => decoded(packet(0xe0, body), 5, from))).toBe(code);
  });

  it.each([3, 4] as const)('has no body in version %i', (version) => {
    expect(refusal(() => decoded(packet(0xe0, '00'), version))).toBe('81');
  });
});

describe('AUTH', () => {
  it('carries method and data', () => {
    expect(decoded(packet(0xf0, "18 09 15 00 01 'x' 16 00 02 01 02"), 5)).toEqual({
      type: PacketType.AUTH,
      reasonCode: 0x18,
      authenticationMethod: 'x',
      authenticationData: Uint8Array.of(1, 2),
    });
  });

  it('without a body is Success, which only a server may say', () => {
    expect(decoded(packet(0xf0, ''), 5, 'server')).toMatchObject({ reasonCode: 0 });
    expect(refusal(() => decoded(packet(0xf0, ''), 5))).toBe('82 MQTT-3.15.2-1');
  });

  it.each([
    ['no Authentication Method', '18 00', 'client', '82 MQTT-4.12.0-5'],
    ['no Property Length', '18', 'client', '81'],
    ['Re-authenticate from a server', "19 04 15 00 01 'x'", 'server', '82 MQTT-3.15.2-1'],
    ['two methods', "18 08 15 00 01 'x' 15 00 01 'y'", 'client', '82'],
    ['bytes behind the properties', "18 04 15 00 01 'x' 00", 'client', '81'],
  ] as const)('is refused for %s (%s)', (_, body, from, code) => {
    expect(refusal(() => decoded(packet(0xf0, body), 5, from))).toBe(code);
  });
});
