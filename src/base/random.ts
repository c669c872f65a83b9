/**
 * Random numbers as floors 0 to 4 see them: real ones from `server/system.ts`, seeded ones in
 * tests.
 */
export interface Random {
  /** A whole number, 0 <= n < limit; limit is 1 to 2^32. */
  below(limit: number): number;
}

/** A seeded generator (mulberry32): the same seed gives the same numbers on every machine. */
export class SeededRandom implements Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 0x1_0000_0000) * limit);
  }
}
