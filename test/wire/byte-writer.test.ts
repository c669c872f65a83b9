import { describe, expect, it } from 'vitest';
import { AssertionError } from '../../src/base/assert.js';
import { ByteWriter, variableByteIntegerLength } from '../../src/wire/byte-writer.js';
import { bytes, packet } from './bytes.js';

function written(write: (writer: ByteWriter) => void): Uint8Array {
  const writer = new ByteWriter();
  writer.begin();
  write(writer);
  return writer.body();
}

describe('ByteWriter', () => {
  it('writes integers most significant byte first', () => {
    const body = written((writer) => {
      writer.byte(0x7f);
      writer.twoByteInteger(0x1234);
      writer.fourByteInteger(0xfedcba98);
    });
    expect(body).toEqual(bytes('7f 12 34 fe dc ba 98'));
  });

  it.each([
    [0, '00'],
    [127, '7f'],
    [128, '80 01'],
    [16_383, 'ff 7f'],
    [16_384, '80 80 01'],
    [2_097_151, 'ff ff 7f'],
    [2_097_152, '80 80 80 01'],
    [268_435_455, 'ff ff ff 7f'],
  ])('writes the Variable Byte Integer %i in as few bytes as possible', (value, hex) => {
    expect(written((writer) => writer.variableByteInteger(value))).toEqual(bytes(hex));
    expect(variableByteIntegerLength(value)).toBe(bytes(hex).length);
  });

  it.each([0, 127, 128, 16_383, 16_384, 2_097_152])(
    'puts the length in front of %i bytes, and a Fixed Header before all',
    (length) => {
      const content = new Uint8Array(length).fill(9);
      const writer = new ByteWriter();
      writer.begin();
      writer.byte(1);
      writer.lengthPrefixed(() => writer.raw(content));
      writer.byte(2);
      const body = Buffer.concat([
        Buffer.of(1),
        written((w) => w.variableByteInteger(length)),
        content,
        Buffer.of(2),
      ]);
      const whole = Buffer.from(writer.finish(0x30));
      const end = written((w) => w.variableByteInteger(body.length));
      expect(whole.equals(Buffer.concat([Buffer.of(0x30), end, body]))).toBe(true);
    },
  );

  it('returns copies that a later packet does not touch', () => {
    const writer = new ByteWriter();
    writer.begin();
    writer.utf8String('first');
    const first = writer.finish(0x30);
    writer.begin();
    writer.utf8String('other');
    writer.finish(0x30);
    expect(first).toEqual(packet(0x30, "00 05 'first'"));
    expect(first.buffer.byteLength).toBe(first.length);
  });

  it.each<[string, (writer: ByteWriter) => void]>([
    ['a string of 65,536 bytes', (writer) => writer.utf8String('é'.repeat(32_768))],
    ['U+0000 in a string', (writer) => writer.utf8String('a\0')],
    ['65,536 in two bytes', (writer) => writer.twoByteInteger(65_536)],
    ['a negative number', (writer) => writer.fourByteInteger(-1)],
    ['2^32', (writer) => writer.fourByteInteger(2 ** 32)],
    ['2^28', (writer) => writer.variableByteInteger(2 ** 28)],
  ])('does not write %s', (_, write) => {
    expect(() => written(write)).toThrow(AssertionError);
  });
});
