import type { Clock, Timers } from '../base/clock.js';

/** Lets clients acknowledge what would otherwise be written and removed again. */
export interface Grace {
  readonly clock: Clock;
  readonly timers: Timers;
  /** How long what was put `soon` waits for that at most. */
  readonly graceMs: number;
  /** The same while so much comes that writing it is what would take the time. */
  readonly busyGraceMs?: number;
}

/** Changes are counted by spans of this length. */
const SPAN_MS = 16;
/** So many in one span, 16,000 a second, cost more to write than their clients cost to wait for. */
const BUSY_CHANGES = 256;
/** So long after that it is still busy: a process that has to wait for its turn works in bursts. */
const BUSY_MS = 1000;
/** Of the average time to acknowledge: nearly all are in time for that. */
const AVERAGE_FOLD = 4;
/** The least while it is busy, as a multiple of the grace: a machine that is busy stalls. */
const BUSY_FOLD = 5;
/** Who is a little late now and then may still be in time on average. */
const PROMPT_FOLD = 4;
/** The average is one of so many, as a power of two. */
const AVERAGE_SHIFT = 9;

/**
 * How long a change waits for the acknowledgement that would make its writing needless: a short
 * while as a rule, so that a publisher gets its PUBACK; while much comes, as long as clients take.
 * If it were not so, being busy would make clients late, writing what they are late with would keep
 * it busy, and it would never become quick again.
 */
export class Patience {
  readonly #graceMs: number;
  readonly #busyGraceMs: number;
  #spanEndMs = 0;
  #inSpan = 0;
  #busyUntilMs = 0;
  #averageScaled = 0;

  constructor({ graceMs, busyGraceMs = graceMs }: Pick<Grace, 'graceMs' | 'busyGraceMs'>) {
    this.#graceMs = graceMs;
    this.#busyGraceMs = busyGraceMs;
  }

  /**
   * Something is there for a client that takes this long to acknowledge, on average: whether to
   * wait for that. Not where others are much quicker: all that comes later would wait as well.
   */
  waitsFor(acknowledgeMs: number, nowMs: number): boolean {
    this.#averageScaled += acknowledgeMs - (this.#averageScaled >> AVERAGE_SHIFT);
    const promptMs = PROMPT_FOLD * this.#graceMs;
    if (acknowledgeMs <= promptMs) return true;
    if (nowMs >= this.#busyUntilMs || acknowledgeMs > this.#busyGraceMs) return false;
    return acknowledgeMs <= promptMs + AVERAGE_FOLD * (this.#averageScaled >> AVERAGE_SHIFT);
  }

  /** So many changes came in a turn that ends now. */
  count(changes: number, nowMs: number): void {
    if (nowMs >= this.#spanEndMs) {
      this.#inSpan = 0;
      this.#spanEndMs = nowMs + SPAN_MS;
    }
    this.#inSpan += changes;
    if (this.#inSpan >= BUSY_CHANGES) this.#busyUntilMs = nowMs + BUSY_MS;
  }

  /** How long what has come waits, as seen from now. */
  graceMs(nowMs: number): number {
    if (nowMs >= this.#busyUntilMs) return this.#graceMs;
    const averageMs = this.#averageScaled >> AVERAGE_SHIFT;
    const wishedMs = Math.max(AVERAGE_FOLD * averageMs, BUSY_FOLD * this.#graceMs);
    return Math.min(wishedMs, this.#busyGraceMs);
  }
}
