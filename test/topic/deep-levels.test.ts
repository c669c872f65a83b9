import { expect, test } from 'vitest';
import { deepLevels } from '../../src/topic/deep-levels.js';

test('levels beyond the eighth count', () => {
  expect(deepLevels('a')).toBe(0);
  expect(deepLevels('1/2/3/4/5/6/7/8')).toBe(0);
  expect(deepLevels('1/2/3/4/5/6/7/8/')).toBe(1);
  expect(deepLevels('/'.repeat(199))).toBe(192);
});
