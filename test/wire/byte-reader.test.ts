import { describe, expect, it } from 'vitest';
import { ByteReader } from '../../src/wire/byte-reader.js';
import type { ProtocolVersion } from '../../src/wire/control-packet.js';
import { bytes, packet, placed, refusal } from './bytes.js';

function reader(body: string, version: ProtocolVersion = 5): ByteReader {
  return new ByteReader(placed(packet(0x82, body)), version);
}

describe('ByteReader', () => {
  it('reads integers most significant byte first', () => {
    const all = reader('7f 12 34 fe dc ba 98');
    expect(all.byte('x')).toBe(0x7f);
    expect(all.twoByteInteger('x')).toBe(0x1234);
    expect(all.fourByteInteger('x')).toBe(0xfedcba98);
    expect(all.atEnd).toBe(true);
  });

  // Table 1-1 of 5.0, section 1.5.5.
  it.each([
    ['00', 0],
    ['7f', 127],
    ['80 01', 128],
    ['ff 7f', 16_383],
    ['80 80 01', 16_384],
    ['ff ff 7f', 2_097_151],
    ['80 80 80 01', 2_097_152],
    ['ff ff ff 7f', 268_435_455],
  ])('reads the Variable Byte Integer %s', (hex, value) => {
    expect(reader(hex).variableByteInteger('x')).toBe(value);
  });

  it.each([
    ['80 00', '81 MQTT-1.5.5-1'],
    ['ff 80 00', '81 MQTT-1.5.5-1'],
    ['80 80 80 80 01', '81'],
    ['80', '81'],
  ])('refuses the Variable Byte Integer %s', (hex, code) => {
    expect(refusal(() => reader(hex).variableByteInteger('x'))).toBe(code);
  });

  it('reads strings, and keeps U+FEFF', () => {
    expect(reader("00 05 'A' f0 aa 9b 94").utf8String('x')).toBe('A\u{2A6D4}');
    expect(reader("00 04 ef bb bf 'x'").utf8String('x')).toBe('\ufeffx'); // [MQTT-1.5.4-3]
    expect(reader('00 00').utf8String('x')).toBe('');
  });

  it.each([
    ['a surrogate', '00 03 ed a0 80', 5, '81 MQTT-1.5.4-1'],
    ['an overlong form', '00 02 c0 80', 5, '81 MQTT-1.5.4-1'],
    ['U+0000', "00 03 'a' 00 'b'", 5, '81 MQTT-1.5.4-2'],
    ['a surrogate', '00 03 ed a0 80', 4, '81 MQTT-1.5.3-1'],
    ['U+0000', "00 03 'a' 00 'b'", 4, '81 MQTT-1.5.3-2'],
    ['a length beyond the packet', "00 03 'ab'", 5, '81'],
    ['half a length', '00', 5, '81'],
  ] as const)('refuses %s in a string (%s, version %i)', (_, hex, version, code) => {
    expect(refusal(() => reader(hex, version).utf8String('x'))).toBe(code);
  });

  it('copies Binary Data, also out of a Buffer, whose slices are views', () => {
    const whole = Buffer.from(packet(0x82, '00 02 01 02'));
    const source = { bytes: whole, packetStart: 0, bodyStart: 2, packetEnd: whole.length };
    const data = new ByteReader(source, 5).binaryData('x');
    whole.fill(0xff);
    expect(data).toEqual(bytes('01 02'));
    expect(data.buffer.byteLength).toBe(2);
  });

  it('says which packet ends inside which field', () => {
    expect(() => reader('00').twoByteInteger('Packet Identifier')).toThrow(
      'SUBSCRIBE: the packet ends inside its Packet Identifier',
    );
    expect(() => reader('00 01').expectEnd()).toThrow('SUBSCRIBE: 2 bytes follow the last field');
  });
});
