/** Numbers by chance that a seed repeats. */
export interface Random {
  /** From 0 up to but not 1. */
  next(): number;
}

/** A stream of its own for each name, so that one more device does not change all others. */
export function seededRandom(seed: number, name = ''): Random {
  let state = hash(seed, name);
  return {
    next() {
      // mulberry32
      state = (state + 0x6d2b79f5) | 0;
      let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
      mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
    },
  };
}

/** FNV-1a over the name, begun with the seed. */
function hash(seed: number, name: string): number {
  let value = (0x811c9dc5 ^ seed) >>> 0;
  for (const byte of Buffer.from(name)) value = Math.imul(value ^ byte, 0x01000193) >>> 0;
  return value;
}
