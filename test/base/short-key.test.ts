import { expect, test } from 'vitest';
import { shortKey } from '../../src/base/short-key.js';

test('a short name is its own key', () => {
  expect(shortKey('')).toBe('');
  expect(shortKey('a'.repeat(64))).toBe('a'.repeat(64));
});

test('long names have short keys of their own', () => {
  const names = Array.from({ length: 2000 }, (_, i) => `${'x'.repeat(60_000)}${i}`);
  const keys = new Set(names.map(shortKey));
  expect(keys.size).toBe(names.length);
  for (const key of keys) expect(key.length).toBeLessThanOrEqual(64);
  expect(shortKey(names[0]!)).toBe(shortKey(`${names[0]}`));
});
