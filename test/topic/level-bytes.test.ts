import { expect, test } from 'vitest';
import { deepLevelBytes } from '../../src/topic/level-bytes.js';

test('levels beyond the eighth take memory', () => {
  expect(deepLevelBytes('a')).toBe(0);
  expect(deepLevelBytes('1/2/3/4/5/6/7/8')).toBe(0);
  expect(deepLevelBytes('1/2/3/4/5/6/7/8/')).toBe(80);
  expect(deepLevelBytes('/'.repeat(199))).toBe(192 * 80);
});
