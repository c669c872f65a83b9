import type { Clock } from '../../base/clock.js';

const WINDOW_MS = 1000;
/** As measured, below a tenth of a second. */
const STEPS_MAX = 1_000_000;

/**
 * What judging the Topic Filters of one client may cost in a second, in patterns looked at: a
 * SUBSCRIBE may name thousands of them, and meanwhile nobody else has a turn.
 */
export class SearchBudget {
  readonly #clock: Clock;
  #sinceMs = Number.NEGATIVE_INFINITY;
  #spent = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get left(): number {
    const { nowMs } = this.#clock;
    if (nowMs - this.#sinceMs >= WINDOW_MS) {
      this.#sinceMs = nowMs;
      this.#spent = 0;
    }
    return STEPS_MAX - this.#spent;
  }

  spend(steps: number): void {
    this.#spent += steps;
  }
}
