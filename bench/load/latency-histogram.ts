const SUB_BITS = 7;
const SUB_BUCKETS = 1 << SUB_BITS;
/** Times from here on, in microseconds, share the last class: over half an hour. */
const MICROSECONDS_MAX = 2 ** 31 - 1;
const CLASSES = (31 - SUB_BITS + 1) * SUB_BUCKETS;

/**
 * Counts times in classes of one microsecond, later of less than one percent: constant memory and
 * no logarithm, so that every delivery can be counted.
 */
export class LatencyHistogram {
  readonly #counts = new Float64Array(CLASSES);
  #total = 0;

  get total(): number {
    return this.#total;
  }

  add(milliseconds: number): void {
    const microseconds = Math.min(MICROSECONDS_MAX, Math.max(0, Math.round(milliseconds * 1000)));
    this.#counts[classOf(microseconds)]!++;
    this.#total++;
  }

  clear(): void {
    this.#counts.fill(0);
    this.#total = 0;
  }

  /** The time, in milliseconds, that this share of all did not exceed; 0 when nothing was added. */
  quantile(share: number): number {
    let left = Math.max(1, Math.ceil(this.#total * share));
    for (let index = 0; index < CLASSES; index++) {
      left -= this.#counts[index]!;
      if (left <= 0) return greatestIn(index) / 1000;
    }
    return 0;
  }
}

function classOf(microseconds: number): number {
  if (microseconds < 2 * SUB_BUCKETS) return microseconds;
  const shift = 31 - Math.clz32(microseconds) - SUB_BITS;
  return shift * SUB_BUCKETS + (microseconds >>> shift);
}

function greatestIn(index: number): number {
  if (index < 2 * SUB_BUCKETS) return index;
  const shift = (index >>> SUB_BITS) - 1;
  const first = (index - shift * SUB_BUCKETS) * 2 ** shift;
  return first + 2 ** shift - 1;
}
