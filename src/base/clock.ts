/**
 * Time and turns as floors 0 to 4 see them. `server/system.ts` makes them real, `test/sim` virtual.
 */

export interface Clock {
  /** Monotonic milliseconds, read once per tick: cheap enough for every packet. */
  readonly nowMs: number;
  /** Milliseconds since the Unix epoch, for what must outlive the process. */
  wallMs(): number;
}

/**
 * One timer that exists as long as its owner: arming again moves it and allocates nothing.
 * The fields belong to the wheel that holds it; owners only read `armed`.
 */
export class TimerEntry {
  armed = false;
  /** Monotonic milliseconds at which it fires; meaningful while armed. */
  dueMs = 0;
  previous: TimerEntry | undefined = undefined;
  next: TimerEntry | undefined = undefined;
  readonly fire: (entry: TimerEntry) => void;

  constructor(fire: (entry: TimerEntry) => void) {
    this.fire = fire;
  }
}

export interface Timers {
  /** Fires once, never early. Arming an armed entry moves it. */
  arm(entry: TimerEntry, delayMs: number): void;
  disarm(entry: TimerEntry): void;
}

export interface TickTask {
  endOfTick(): void;
}

/**
 * Runs tasks when all input of this turn has been taken in: store writes begin in the
 * `commit` phase, bytes leave in the `flush` phase behind it.
 */
export interface EndOfTick {
  /** The caller adds itself at most once a tick (it keeps its own flag). */
  commit(task: TickTask): void;
  flush(task: TickTask): void;
}
