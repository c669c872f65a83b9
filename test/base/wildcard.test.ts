import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fitsPattern } from '../../src/base/wildcard.js';

test.each([
  ['', '', true],
  ['', 'a', false],
  ['*', '', true],
  ['a*c', 'abbc', true],
  ['a*c', 'abb', false],
  ['?', 'é', true],
  ['?b', '😀b', true],
  ['a.c', 'abc', false],
  ['*-v1-*', 'pump-v1-7', true],
])('%s and %s: %s', (pattern, text, fits) => {
  expect(fitsPattern(pattern, text)).toBe(fits);
});

test('fits what the regular expression of the same meaning fits', () => {
  const letters = (all: string) => fc.string({ unit: fc.constantFrom(...all), maxLength: 8 });
  fc.assert(
    fc.property(letters('ab*?'), letters('ab'), (pattern, text) => {
      const written = pattern.replaceAll('*', '.*').replaceAll('?', '.');
      expect(fitsPattern(pattern, text)).toBe(new RegExp(`^${written}$`, 's').test(text));
    }),
    { numRuns: 3000 },
  );
});

test('a long name cannot make it try for ever', () => {
  // A regular expression needs the fifth power of the length for this.
  expect(fitsPattern('*a*a*a*a*b', 'a'.repeat(60_000))).toBe(false);
});
