import { type Random, SeededRandom } from '../../src/base/random.js';

/** A stream of seeded numbers, with the questions a simulation asks. */
export class Chance implements Random {
  readonly #random: SeededRandom;

  constructor(seed: number) {
    this.#random = new SeededRandom(seed);
  }

  below(limit: number): number {
    return this.#random.below(limit);
  }

  /** A whole number, least and most included. */
  between(least: number, most: number): number {
    return least + this.below(most - least + 1);
  }

  percent(percent: number): boolean {
    return this.below(100) < percent;
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)]!;
  }
}

/** A seed of its own for each purpose, so that one more question here changes nothing there. */
export function derivedSeed(seed: number, purpose: string): number {
  let hash = seed ^ 0x9e3779b9;
  for (let i = 0; i < purpose.length; i++) {
    hash = Math.imul(hash ^ purpose.charCodeAt(i), 0x85ebca6b);
    hash ^= hash >>> 13;
  }
  return hash >>> 0;
}
