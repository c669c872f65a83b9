import { expect, test } from 'vitest';
import { flatness } from '../../../firmware-sim/scenario/growth.js';

const MIB = 1024 * 1024;
const minutes = Array.from({ length: 30 }, (_, minute) => minute);

test('memory that grows at the beginning alone is flat', () => {
  const samples = minutes.map((minute) => (Math.min(minute, 10) * 15 + 100) * MIB);
  expect(flatness(samples)).toMatchObject({ pass: true });
});

test('memory that goes on growing is not', () => {
  expect(flatness(minutes.map((minute) => (minute * 6 + 100) * MIB))).toMatchObject({
    pass: false,
  });
});

test('single samples may jump', () => {
  const samples = minutes.map((minute) => (minute === 29 ? 300 : 150) * MIB);
  expect(flatness(samples)).toMatchObject({ pass: true });
});

test('nothing is said of next to nothing', () => {
  expect(flatness([1, 2])).toMatchObject({ measured: undefined, pass: undefined });
});
