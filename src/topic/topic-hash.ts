import type { Random } from '../base/random.js';

/**
 * A hash over bytes that others cannot predict: two secret numbers go into every step, so that
 * clients cannot choose Topic Names that collide.
 */
export class TopicHash {
  readonly #seed: number;
  readonly #multiplier: number;

  constructor(random: Random) {
    this.#seed = random.below(0x1_0000_0000) | 0;
    this.#multiplier = random.below(0x1_0000_0000) | 1 | 0;
  }

  /** A whole number of 32 bits, never 0. */
  of(bytes: Uint8Array, start: number, end: number): number {
    const multiplier = this.#multiplier;
    let hash = this.#seed ^ (end - start);
    let at = start;
    for (const wordsEnd = end - 3; at < wordsEnd; at += 4) {
      const low = bytes[at]! | (bytes[at + 1]! << 8);
      const high = bytes[at + 2]! | (bytes[at + 3]! << 8);
      hash = Math.imul(hash ^ (low | (high << 16)), multiplier);
      hash ^= hash >>> 15;
    }
    for (; at < end; at++) hash = Math.imul(hash ^ bytes[at]!, multiplier);
    hash = Math.imul(hash ^ (hash >>> 16), 0x45d9f3b);
    hash ^= hash >>> 16;
    return hash === 0 ? 1 : hash;
  }
}

/** A hash of text that is the same in every process, on every machine and in every version. */
export function stableHash(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  }
  return mixHash(hash);
}

/** Spreads the bits of a number over 32 bits (the finish of MurmurHash3). */
export function mixHash(value: number): number {
  let hash = value;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
