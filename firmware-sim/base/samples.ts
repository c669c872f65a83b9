export interface Distribution {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** Measured values; percentiles are of all of them, without rounding into classes. */
export class Samples {
  readonly #values: number[] = [];

  get count(): number {
    return this.#values.length;
  }

  get values(): readonly number[] {
    return this.#values;
  }

  add(value: number): void {
    this.#values.push(value);
  }

  addAll(values: readonly number[]): void {
    for (const value of values) this.#values.push(value);
  }

  /** `share` from 0 to 1; NaN of nothing. */
  percentile(share: number): number {
    const sorted = [...this.#values].sort((one, other) => one - other);
    return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
  }

  distribution(): Distribution {
    const [p50, p99] = [this.percentile(0.5), this.percentile(0.99)];
    return { count: this.count, p50, p99, max: this.percentile(1) };
  }
}

/**
 * Jain's fairness index of what each got: 1 when all got the same, 1/n when one got everything.
 */
export function jainFairness(shares: readonly number[]): number {
  const sum = shares.reduce((total, share) => total + share, 0);
  const squares = shares.reduce((total, share) => total + share * share, 0);
  return squares === 0 ? 1 : (sum * sum) / (shares.length * squares);
}
