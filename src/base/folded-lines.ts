import type { Clock } from './clock.js';

/** One line for each key in this time; the next one tells how often it was. */
const QUIET_MS = 60_000;
/** Beyond this many keys at once, what was told is forgotten. */
const KEYS_MAX = 10_000;

interface Told {
  readonly quietUntilMs: number;
  /** Since that line. */
  count: number;
}

/** Folds what happens again and again into one log line a minute, so that none floods the log. */
export class FoldedLines {
  readonly #clock: Clock;
  readonly #told = new Map<string, Told>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * It has happened once more. Returns how often it has since the last line when a line is due, and
   * 0 when none is. Where strangers choose the key, it is to be a short one.
   */
  count(key: string): number {
    const told = this.#told.get(key);
    const { nowMs } = this.#clock;
    if (told !== undefined && nowMs < told.quietUntilMs) {
      told.count++;
      return 0;
    }
    if (this.#told.size >= KEYS_MAX) this.#told.clear();
    this.#told.set(key, { quietUntilMs: nowMs + QUIET_MS, count: 0 });
    return (told?.count ?? 0) + 1;
  }
}
