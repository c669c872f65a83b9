import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../src/base/random.js';

function draw(seed: number, limit: number, count: number): number[] {
  const random = new SeededRandom(seed);
  return Array.from({ length: count }, () => random.below(limit));
}

describe('SeededRandom', () => {
  it('gives the same numbers for the same seed, others for another', () => {
    expect(draw(7, 1000, 50)).toEqual(draw(7, 1000, 50));
    expect(draw(7, 1000, 50)).not.toEqual(draw(8, 1000, 50));
    // The very numbers, because seeds of failures are kept.
    expect(draw(1, 0x1_0000_0000, 3)).toEqual([2693262067, 11749833, 2265367787]);
  });

  it('stays below its limit and reaches every number', () => {
    expect(new Set(draw(3, 6, 500))).toEqual(new Set([0, 1, 2, 3, 4, 5]));
    expect(draw(3, 1, 20)).toEqual(new Array(20).fill(0));
    const wide = draw(3, 0x1_0000_0000, 2000);
    expect(wide.every((n) => Number.isInteger(n) && n >= 0 && n < 0x1_0000_0000)).toBe(true);
    expect(Math.max(...wide)).toBeGreaterThan(0xf000_0000);
  });

  it('spreads evenly', () => {
    const counts = new Array<number>(16).fill(0);
    for (const n of draw(11, 16, 16_000)) counts[n]!++;
    for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(150);
  });
});
