/**
 * So many a second on the average, and a burst of what was not used. What is taken beyond that is
 * owed: whoever took it waits until the debt is paid, those who come later wait behind it.
 */
export class TokenBucket {
  readonly perSecond: number;
  readonly burst: number;
  #level: number;
  #atMs: number;

  constructor(perSecond: number, burstSeconds: number, nowMs: number) {
    this.perSecond = perSecond;
    this.burst = Math.max(1, perSecond * burstSeconds);
    this.#level = this.burst;
    this.#atMs = nowMs;
  }

  /** Takes them, and returns for how many milliseconds nothing more should be taken. */
  take(tokens: number, nowMs: number): number {
    this.#fill(nowMs);
    this.#level -= tokens;
    return this.#level >= 0 ? 0 : Math.ceil((-this.#level * 1000) / this.perSecond);
  }

  /** Takes one if it is there. */
  tryTake(nowMs: number): boolean {
    this.#fill(nowMs);
    if (this.#level < 1) return false;
    this.#level--;
    return true;
  }

  /** Nothing is owed and nothing used: a new one would be the same. */
  isIdle(nowMs: number): boolean {
    this.#fill(nowMs);
    return this.#level >= this.burst;
  }

  #fill(nowMs: number): void {
    const filled = this.#level + ((nowMs - this.#atMs) * this.perSecond) / 1000;
    this.#level = Math.min(this.burst, filled);
    this.#atMs = nowMs;
  }
}
