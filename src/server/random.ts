import { getRandomValues } from 'node:crypto';
import type { Random } from '../base/random.js';

const TWO_POW_32 = 0x1_0000_0000;

/** Unpredictable numbers of the operating system, fetched 1 KiB at a time. */
export class SystemRandom implements Random {
  readonly #words = new Uint32Array(256);
  #used = 256;

  below(limit: number): number {
    // Numbers above the last whole multiple of the limit would favour the small ones.
    const usable = TWO_POW_32 - (TWO_POW_32 % limit);
    for (;;) {
      const word = this.#word();
      if (word < usable) return word % limit;
    }
  }

  #word(): number {
    if (this.#used === this.#words.length) {
      getRandomValues(this.#words);
      this.#used = 0;
    }
    return this.#words[this.#used++]!;
  }
}
