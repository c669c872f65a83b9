const BLOCK = 1024;

/**
 * Numbers that are never given twice, not even after a crash: the end of a block is on disk before,
 * or together with, the first use of a number in it.
 */
export class ReservedNumbers {
  #next = 1;
  #reservedEnd = 1;

  /** What was reserved before is never given again, used or not. */
  recover(reservedEnd: number): void {
    this.#next = reservedEnd;
    this.#reservedEnd = reservedEnd;
  }

  /**
   * Calls `reserve` first when a new block begins; it must put the end into the batch of the use.
   */
  take(reserve: (reservedEnd: number) => void): number {
    if (this.#next === this.#reservedEnd) {
      this.#reservedEnd += BLOCK;
      reserve(this.#reservedEnd);
    }
    return this.#next++;
  }
}
