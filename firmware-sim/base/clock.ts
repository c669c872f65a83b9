export interface Timer {
  cancel(): void;
}

/** What devices and links know of time, so that tests can move it by hand. */
export interface Clock {
  /** Monotonic; where it begins means nothing. */
  nowMs(): number;
  after(waitMs: number, run: () => void): Timer;
}

export const realClock: Clock = {
  nowMs: () => performance.now(),
  after(waitMs, run) {
    const timer = setTimeout(run, waitMs);
    return { cancel: () => clearTimeout(timer) };
  },
};

/** Again and again until it is cancelled; for the first time after one interval. */
export function every(clock: Clock, everyMs: number, run: () => void): Timer {
  let timer = clock.after(everyMs, tick);
  function tick(): void {
    timer = clock.after(everyMs, tick);
    run();
  }
  return { cancel: () => timer.cancel() };
}

/** Timers that end together, with the connection they belong to. */
export class TimerGroup {
  readonly #clock: Clock;
  readonly #timers = new Set<Timer>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  after(waitMs: number, run: () => void): Timer {
    const inner = this.#clock.after(waitMs, () => {
      this.#timers.delete(timer);
      run();
    });
    const timer: Timer = {
      cancel: () => {
        this.#timers.delete(timer);
        inner.cancel();
      },
    };
    this.#timers.add(timer);
    return timer;
  }

  cancelAll(): void {
    for (const timer of [...this.#timers]) timer.cancel();
  }
}
