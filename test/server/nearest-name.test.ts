import { expect, test } from 'vitest';
import { nearestName } from '../../src/server/nearest-name.js';

const names = ['durability', 'data', 'listen'];

test.each([
  ['durabilty', 'durability'],
  ['DURABILITY', 'durability'],
  ['dta', 'data'],
  ['listener', 'listen'],
  ['keepalive', undefined],
])('%s was meant as %s', (written, expected) => {
  expect(nearestName(written, names)).toBe(expected);
});
