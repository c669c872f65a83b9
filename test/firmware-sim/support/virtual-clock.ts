import type { Clock, Timer } from '../../../firmware-sim/base/clock.js';
import { EventQueue, type SimEvent } from '../../sim/event-queue.js';

/** Time that moves when it is told to; timers run in their order. */
export class VirtualClock implements Clock {
  #nowMs = 1_000;
  #sequence = 0;
  readonly #queue = new EventQueue();

  nowMs(): number {
    return this.#nowMs;
  }

  after(waitMs: number, run: () => void): Timer {
    const due: SimEvent = {
      atMs: this.#nowMs + Math.max(0, waitMs),
      tie: 0,
      sequence: this.#sequence++,
      label: '',
      run,
      cancelled: false,
    };
    this.#queue.push(due);
    return {
      cancel: () => {
        due.cancelled = true;
      },
    };
  }

  advance(ms: number): void {
    const untilMs = this.#nowMs + ms;
    for (let dueMs = this.nextMs(); dueMs !== undefined && dueMs <= untilMs; dueMs = this.nextMs())
      this.runNext();
    this.moveTo(untilMs);
  }

  /** When something is due next. */
  nextMs(): number | undefined {
    return this.#queue.peek()?.atMs;
  }

  /** Moves on to what is due next, and runs that alone. */
  runNext(): void {
    const due = this.#queue.pop();
    if (due === undefined) return;
    this.moveTo(due.atMs);
    void due.run();
  }

  /** Runs nothing. */
  moveTo(nowMs: number): void {
    this.#nowMs = Math.max(this.#nowMs, nowMs);
  }
}
