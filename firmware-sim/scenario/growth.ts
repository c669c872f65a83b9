import { atMost, type Criterion } from './criterion.js';

const GROWTH_MAX = 1.1;
/** Of a heap that is small yet. */
const GROWTH_BYTES_FREE = 16 * 1024 * 1024;

/**
 * Whether memory has stopped growing: what the last third of the samples has, of what the middle
 * third allows it. Means, since garbage collection makes single samples jump.
 */
export function flatness(samples: readonly number[]): Criterion {
  const third = Math.floor(samples.length / 3);
  const name = 'memory in the last third, of what is allowed';
  if (third === 0) return atMost(name, 'times', 1, undefined);
  const middle = mean(samples.slice(-2 * third, -third));
  return atMost(name, 'times', 1, mean(samples.slice(-third)) / allowed(middle));
}

function allowed(bytes: number): number {
  return bytes * GROWTH_MAX + GROWTH_BYTES_FREE;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
