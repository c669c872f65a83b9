/** Half powers of two from 1 ms on: 1, 1.4, 2, 2.8 … about 9 hours. */
const BUCKETS = 50;
/** Buckets of the shortest times, which most are: a logarithm costs more than all the rest. */
const SHORT = Uint8Array.from({ length: 128 }, (_, ms) => bucketOf(ms));

/** How many acknowledgements took how long, within a factor of 1.4: one addition each. */
export class LatencyCounts {
  maxMs = 0;
  count = 0;
  #counts: Uint32Array | undefined = undefined;

  add(ms: number): void {
    this.#counts ??= new Uint32Array(BUCKETS);
    this.#counts[SHORT[ms] ?? bucketOf(ms)]!++;
    this.count++;
    if (ms > this.maxMs) this.maxMs = ms;
  }

  /** By bucket, up to the last that is not empty. */
  counts(): readonly number[] {
    const counts = [...(this.#counts ?? [])];
    while (counts.at(-1) === 0) counts.pop();
    return counts;
  }

  restore(counts: readonly number[], maxMs: number): void {
    this.#counts = new Uint32Array(BUCKETS);
    this.#counts.set(counts.slice(0, BUCKETS));
    this.count = this.#counts.reduce((sum, count) => sum + count, 0);
    this.maxMs = maxMs;
  }

  /** The upper end of the bucket in which this share of all lies; 0 without any. */
  quantileMs(share: number): number {
    let left = Math.ceil(this.count * share);
    if (this.#counts === undefined || left === 0) return 0;
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      left -= this.#counts[bucket]!;
      if (left <= 0) return Math.min(this.maxMs, Math.round(2 ** (bucket / 2)));
    }
    return this.maxMs;
  }
}

function bucketOf(ms: number): number {
  if (ms <= 1) return 0;
  return Math.min(BUCKETS - 1, Math.ceil(2 * Math.log2(ms)));
}
