const PER_DECADE = 200;
const LEAST_MS = 0.001;
const DECADES = 8;

/** Times in logarithmic classes of about one percent: constant memory, whatever the load. */
export class LatencyHistogram {
  readonly #counts = new Uint32Array(PER_DECADE * DECADES);
  #total = 0;

  add(milliseconds: number): void {
    const decades = Math.log10(Math.max(milliseconds, LEAST_MS) / LEAST_MS);
    const index = Math.min(this.#counts.length - 1, Math.floor(decades * PER_DECADE));
    this.#counts[index]!++;
    this.#total++;
  }

  clear(): void {
    this.#counts.fill(0);
    this.#total = 0;
  }

  /** The time, in milliseconds, that this share of all stayed below. */
  quantile(share: number): number {
    let left = this.#total * share;
    for (let index = 0; index < this.#counts.length; index++) {
      left -= this.#counts[index]!;
      if (left <= 0) return LEAST_MS * 10 ** ((index + 1) / PER_DECADE);
    }
    return 0;
  }
}
