import fc from 'fast-check';
import { expect, test } from 'vitest';
import { coverageOf } from '../../../src/extensions/access-control/coverage.js';
import { mayCover } from '../../../src/extensions/access-control/dynamic-security.js';
import { DENIED } from '../../../src/session/client-access.js';

const level = fc.constantFrom('a', 'b', '', '$x', '+');
const filter = fc
  .tuple(fc.array(level, { minLength: 1, maxLength: 4 }), fc.boolean())
  .map(([levels, isMulti]) => (isMulti ? [...levels.slice(1), '#'] : levels))
  .filter((levels) => levels.join('/') !== '');

test('a pattern that is passed over never covers the filter', () => {
  fc.assert(
    fc.property(filter, filter, (pattern, asked) => {
      const judged = { topicFilter: pattern.join('/'), levels: pattern, order: 0, verdict: 2 };
      const covers = coverageOf(asked.join('/'), [judged as never], DENIED).lowest !== DENIED;
      if (covers) expect(mayCover(pattern, asked)).toBe(true);
    }),
    { numRuns: 5000 },
  );
});

test.each([
  ['a/#', 'a/+/c', true],
  ['a/#', 'b/c', false],
  ['a/+', 'a/+/c', false],
  ['a/b', 'a/+', false],
  ['+/#', '#', true],
])('%s may cover %s: %s', (pattern, asked, may) => {
  expect(mayCover(pattern.split('/'), asked.split('/'))).toBe(may);
});
