import type { Clock, Timer } from '../../../firmware-sim/base/clock.js';

interface Due {
  readonly atMs: number;
  readonly order: number;
  readonly run: () => void;
}

/** Time that moves when it is told to; timers run in their order. */
export class VirtualClock implements Clock {
  #nowMs = 1_000;
  #order = 0;
  readonly #dues = new Set<Due>();

  nowMs(): number {
    return this.#nowMs;
  }

  after(waitMs: number, run: () => void): Timer {
    const due: Due = { atMs: this.#nowMs + Math.max(0, waitMs), order: this.#order++, run };
    this.#dues.add(due);
    return { cancel: () => this.#dues.delete(due) };
  }

  advance(ms: number): void {
    const untilMs = this.#nowMs + ms;
    for (let due = this.#next(); due !== undefined && due.atMs <= untilMs; due = this.#next()) {
      this.#dues.delete(due);
      this.#nowMs = Math.max(this.#nowMs, due.atMs);
      due.run();
    }
    this.#nowMs = untilMs;
  }

  #next(): Due | undefined {
    let first: Due | undefined;
    for (const due of this.#dues) {
      if (first === undefined || isEarlier(due, first)) first = due;
    }
    return first;
  }
}

function isEarlier(one: Due, other: Due): boolean {
  return one.atMs < other.atMs || (one.atMs === other.atMs && one.order < other.order);
}
