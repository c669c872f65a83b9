import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { utf8Bytes } from '../../src/base/utf8.js';
import { isTopicName, isTopicNameBytes, topicLevels } from '../../src/topic/topic-name.js';
import { limits } from './arbitraries.js';

function isNameAsBytes(topicName: string, within: typeof limits = limits): boolean {
  const bytes = utf8Bytes(topicName);
  const padded = new Uint8Array(bytes.length + 2).fill(0x2b);
  padded.set(bytes, 1);
  return isTopicNameBytes(padded, 1, 1 + bytes.length, within);
}

describe('Topic Names', () => {
  it.each(['a', '/', '//', 'a/b', '/a', 'a/', ' ', '$SYS/x', 'é/€/😀', '\ufeff', '\u0001'])(
    'accepts %j',
    (name) => {
      expect(isTopicName(name, limits)).toBe(true);
      expect(isNameAsBytes(name)).toBe(true);
    },
  );

  it.each(['', '+', '#', 'a/+', 'a+', 'a/#', '#a', 'a\0b', '\0'])(
    'refuses %j [MQTT-4.7.0-1] [MQTT-4.7.3-1] [MQTT-4.7.3-2]',
    (name) => {
      expect(isTopicName(name, limits)).toBe(false);
      expect(isNameAsBytes(name)).toBe(false);
    },
  );

  it('refuses lone surrogates in text', () => {
    for (const name of ['\ud800', 'a\udc00', '\ud800a', '\udc00\ud800', '\ud800\ud800']) {
      expect(isTopicName(name, limits), JSON.stringify(name)).toBe(false);
    }
  });

  it('refuses bytes that are not UTF-8', () => {
    expect(isTopicNameBytes(Uint8Array.of(0x61, 0xff), 0, 2, limits)).toBe(false);
    expect(isTopicNameBytes(Uint8Array.of(0xe2, 0x82, 0xac), 0, 2, limits)).toBe(false);
  });

  it('counts levels and bytes', () => {
    const tight = { topicLevelsMax: 3, topicBytesMax: 8 };
    for (const [name, valid] of [
      ['a/b/c', true],
      ['a/b/c/d', false],
      ['///', false],
      ['12345678', true],
      ['123456789', false],
      ['€€12', true],
      ['€€123', false],
      ['😀😀', true],
      ['😀😀1', false],
      ['éééé', true],
      ['éééé1', false],
    ] as const) {
      expect(isTopicName(name, tight), name).toBe(valid);
      expect(isNameAsBytes(name, tight), name).toBe(valid);
    }
  });

  it('judges text and bytes alike', () => {
    const tight = { topicLevelsMax: 4, topicBytesMax: 12 };
    const unit = fc.constantFrom('a', '/', '+', '#', '\0', 'é', '€', '😀', '\ufeff');
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 10 }), (name) => {
        expect(isNameAsBytes(name, tight)).toBe(isTopicName(name, tight));
      }),
    );
  });

  it('splits into levels, empty ones included', () => {
    expect(topicLevels('/a//b/')).toEqual(['', 'a', '', 'b', '']);
  });
});
