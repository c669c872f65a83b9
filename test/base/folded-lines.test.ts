import { expect, test } from 'vitest';
import { FoldedLines } from '../../src/base/folded-lines.js';
import { TestTime } from '../broker/test-time.js';

test('a line a minute for each key, and the next one tells how often it was', () => {
  const time = new TestTime();
  const lines = new FoldedLines(time);
  expect([lines.count('a'), lines.count('a'), lines.count('b'), lines.count('a')]).toEqual([
    1, 0, 1, 0,
  ]);
  time.advance(59_999);
  expect(lines.count('a')).toBe(0);
  time.advance(1);
  expect(lines.count('a')).toBe(4);
  expect(lines.count('b')).toBe(1);
  expect(lines.count('a')).toBe(0);
});

test('strangers who bring ever new keys take no more memory than ten thousand of them', () => {
  const time = new TestTime();
  const lines = new FoldedLines(time);
  lines.count('first');
  for (let i = 1; i < 10_000; i++) lines.count(`key ${i}`);
  expect(lines.count('first')).toBe(0);
  expect(lines.count('one more')).toBe(1);
  // What was told is forgotten, so it is told again.
  expect(lines.count('first')).toBe(1);
});
