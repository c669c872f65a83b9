import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isUtf8, utf8Bytes, utf8Text } from '../../src/base/utf8.js';

const fatal = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** What the platform's decoder says, with U+0000 forbidden on top. */
function isUtf8ByPlatform(bytes: Uint8Array): boolean {
  if (bytes.includes(0)) return false;
  try {
    fatal.decode(bytes);
    return true;
  } catch {
    return false;
  }
}

function disagreements(sequences: Iterable<readonly number[]>): string[] {
  const found: string[] = [];
  for (const sequence of sequences) {
    const bytes = Uint8Array.from(sequence);
    if (isUtf8(bytes, 0, bytes.length) !== isUtf8ByPlatform(bytes)) found.push(String(sequence));
  }
  return found;
}

/** Bytes on both sides of every boundary that the encoding has. */
const EDGES = [
  0x00, 0x01, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1,
  0xec, 0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff,
];

function* upToTwoBytes(): Generator<number[]> {
  for (let first = 0; first < 256; first++) {
    yield [first];
    for (let second = 0; second < 256; second++) yield [first, second];
  }
}

function* edges(length: number, before: number[] = []): Generator<number[]> {
  if (before.length === length) yield before;
  else for (const byte of EDGES) yield* edges(length, [...before, byte]);
}

describe('isUtf8', () => {
  it('agrees with the platform on every sequence of one and two bytes', () => {
    expect(disagreements(upToTwoBytes())).toEqual([]);
  });

  it('agrees with the platform on three and four bytes around every boundary', () => {
    expect(disagreements(edges(3))).toEqual([]);
    expect(disagreements(edges(4))).toEqual([]);
  });

  it('looks at nothing outside its range', () => {
    const bytes = Uint8Array.of(0xff, 0xe2, 0x82, 0xac, 0xff);
    expect(isUtf8(bytes, 1, 4)).toBe(true);
    expect(isUtf8(bytes, 1, 3)).toBe(false);
    expect(isUtf8(bytes, 2, 2)).toBe(true);
  });

  it('refuses U+0000, surrogates and overlong forms [MQTT-1.5.4-1] [MQTT-1.5.4-2]', () => {
    for (const bad of [
      [0x61, 0x00],
      [0xed, 0xa0, 0x80],
      [0xc0, 0x80],
      [0xf4, 0x90, 0x80, 0x80],
    ]) {
      expect(isUtf8(Uint8Array.from(bad), 0, bad.length), String(bad)).toBe(false);
    }
  });
});

describe('utf8Text', () => {
  it('is the inverse of utf8Bytes, at any place in a buffer', () => {
    const text = fc.string({ unit: 'binary', maxLength: 80 });
    fc.assert(
      fc.property(text, fc.nat(5), fc.nat(5), (expected, before, behind) => {
        const inner = utf8Bytes(expected);
        const bytes = new Uint8Array(before + inner.length + behind).fill(0xff);
        bytes.set(inner, before);
        expect(utf8Text(bytes, before, before + inner.length)).toBe(expected);
      }),
    );
  });

  it('keeps a leading U+FEFF, short and long [MQTT-1.5.4-3]', () => {
    for (const text of ['\ufeff', '\ufeffa', `\ufeff${'a'.repeat(40)}`]) {
      const bytes = utf8Bytes(text);
      expect(utf8Text(bytes, 0, bytes.length)).toBe(text);
    }
  });
});
