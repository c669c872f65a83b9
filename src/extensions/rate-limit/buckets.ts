import type { Rate } from '../../session/rates.js';
import { TokenBucket } from './token-bucket.js';

/** Keys with buckets. Beyond it those go that are idle, then those that are oldest. */
const BUCKETS_MAX = 100_000;

/** The buckets of everybody who is counted: by kind and name. */
export class Buckets {
  readonly #buckets = new Map<string, TokenBucket>();
  readonly #max: number;
  /** Looking for idle ones among many is worth it once in a while only. */
  #sweepAtMs = 0;

  constructor(max: number = BUCKETS_MAX) {
    this.#max = max;
  }

  get size(): number {
    return this.#buckets.size;
  }

  /** Undefined where the rate is unlimited. A rate that has changed begins anew. */
  get(
    key: string,
    what: keyof Rate,
    rate: Rate,
    burstSeconds: number,
    nowMs: number,
  ): TokenBucket | undefined {
    const perSecond = rate[what];
    if (perSecond === undefined) return undefined;
    const name = `${what} ${key}`;
    const known = this.#buckets.get(name);
    if (known?.perSecond === perSecond) return known;
    if (known === undefined && this.#buckets.size >= this.#max) this.#makeRoom(nowMs);
    const bucket = new TokenBucket(perSecond, burstSeconds, nowMs);
    this.#buckets.set(name, bucket);
    return bucket;
  }

  #makeRoom(nowMs: number): void {
    if (nowMs >= this.#sweepAtMs) {
      this.#sweepAtMs = nowMs + 1000;
      for (const [name, bucket] of this.#buckets) {
        if (bucket.isIdle(nowMs)) this.#buckets.delete(name);
      }
    }
    for (const name of this.#buckets.keys()) {
      if (this.#buckets.size < this.#max) break;
      this.#buckets.delete(name);
    }
  }
}
