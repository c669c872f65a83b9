import { describe, expect, it } from 'vitest';
import { PacketType } from '../../src/wire/control-packet.js';
import { bytes, decoded, packet, refusal } from './bytes.js';

const KINDS = [
  ['PUBACK', PacketType.PUBACK, 0x40, 'MQTT-3.4.2-1'],
  ['PUBREC', PacketType.PUBREC, 0x50, 'MQTT-3.5.2-1'],
  ['PUBREL', PacketType.PUBREL, 0x62, 'MQTT-3.6.2-1'],
  ['PUBCOMP', PacketType.PUBCOMP, 0x70, 'MQTT-3.7.2-1'],
] as const;

describe.each(KINDS)('%s', (_, type, first, statement) => {
  it.each([3, 4, 5] as const)('of two bytes is Success in version %i', (version) => {
    const expected = { type, packetIdentifier: 0x1234, reasonCode: 0 };
    expect(decoded(packet(first, '12 34'), version)).toEqual(expected);
  });

  it('may end behind the Reason Code in 5.0', () => {
    const code = type === PacketType.PUBREL || type === PacketType.PUBCOMP ? 0x92 : 0x87;
    expect(decoded(packet(first, Uint8Array.of(0, 1, code)), 5)).toMatchObject({
      reasonCode: code,
    });
  });

  it('may have properties', () => {
    const body = "00 01 00 0e 1f 00 04 'full' 26 00 01 'k' 00 01 'v'";
    const whole = packet(first, body);
    expect(decoded(whole, 5)).toEqual({
      type,
      packetIdentifier: 1,
      reasonCode: 0,
      reasonString: 'full',
      userProperties: [['k', 'v']],
    });
  });

  it.each([
    ['no Packet Identifier', '', '81'],
    ['half a Packet Identifier', '00', '81'],
    ['the Packet Identifier 0', '00 00', '82 MQTT-2.2.1-3'],
    ['an unknown Reason Code', '00 01 03', `82 ${statement}`],
    ['a Reason Code of another packet', '00 01 9e', `82 ${statement}`],
    ['a property of another packet', '00 01 00 03 13 00 01', '81'],
    ['a property that does not exist', '00 01 00 02 7f 00', '81'],
    ['a second Reason String', "00 01 00 08 1f 00 01 'a' 1f 00 01 'b'", '82'],
    ['a Property Length beyond the packet', '00 01 00 01', '81'],
    ['bytes behind the properties', '00 01 00 00 00', '81'],
  ])('refuses %s', (_name, body, code) => {
    expect(refusal(() => decoded(packet(first, body), 5))).toBe(code);
  });

  it.each([3, 4] as const)('has exactly two bytes in version %i', (version) => {
    expect(refusal(() => decoded(packet(first, '00 01 00'), version))).toBe('81');
    expect(refusal(() => decoded(packet(first, '00 00'), version))).toBe('82 MQTT-2.3.1-1');
  });
});

describe('PUBACK and PUBREC', () => {
  it('say No matching subscribers only from a server', () => {
    expect(decoded(bytes('40 03 00 01 10'), 5, 'server')).toMatchObject({ reasonCode: 0x10 });
    expect(refusal(() => decoded(bytes('50 03 00 01 10'), 5))).toBe('82 MQTT-3.5.2-1');
  });
});
