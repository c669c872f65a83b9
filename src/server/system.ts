import type { Clock, EndOfTick, TickTask, TimerEntry, Timers } from '../base/clock.js';
import { TimerWheel } from '../base/timer-wheel.js';

/** A timer of the system counts no further than this. */
const TIMEOUT_MS_MAX = 0x7fff_ffff;

/**
 * Real time and real turns. A tick ends when the event loop has handed out all input it had: then
 * the tasks of the commit phase run, then those of the flush phase, and the clock may move on.
 */
export class SystemTick implements Clock, EndOfTick {
  #nowMs = 0;
  #nowIsKnown = false;
  #scheduled = false;
  #commits: TickTask[] = [];
  #flushes: TickTask[] = [];
  #spare: TickTask[] = [];

  /** Read once a tick: all that happens in one tick happens at one time. */
  get nowMs(): number {
    if (!this.#nowIsKnown) {
      this.#nowMs = Math.floor(performance.now());
      this.#nowIsKnown = true;
      this.#schedule();
    }
    return this.#nowMs;
  }

  wallMs(): number {
    return Date.now();
  }

  commit(task: TickTask): void {
    this.#commits.push(task);
    this.#schedule();
  }

  flush(task: TickTask): void {
    this.#flushes.push(task);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(this.#end);
  }

  readonly #end = (): void => {
    const commits = this.#commits;
    this.#commits = this.#spare;
    this.#spare = run(commits);
    const flushes = this.#flushes;
    this.#flushes = this.#spare;
    this.#spare = run(flushes);
    this.#nowIsKnown = false;
    this.#scheduled = false;
    if (this.#commits.length > 0 || this.#flushes.length > 0) this.#schedule();
  };
}

/** Runs and empties the list; what the tasks add lands in the other list, for its own phase. */
function run(tasks: TickTask[]): TickTask[] {
  for (let i = 0; i < tasks.length; i++) tasks[i]!.endOfTick();
  tasks.length = 0;
  return tasks;
}

/** The timer wheel, turned by one timer of the system that is set to the earliest entry. */
export class SystemTimers implements Timers {
  readonly #clock: Clock;
  readonly #wheel: TimerWheel;
  /** Where the wheel stands. It turns only when something is due, so it may be behind the clock. */
  #wheelMs: number;
  #timeout: NodeJS.Timeout | undefined = undefined;
  #timeoutDueMs = Number.POSITIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#wheelMs = clock.nowMs;
    this.#wheel = new TimerWheel(this.#wheelMs);
  }

  arm(entry: TimerEntry, delayMs: number): void {
    this.#wheel.arm(entry, this.#clock.nowMs - this.#wheelMs + delayMs);
    if (entry.dueMs < this.#timeoutDueMs) this.#setTimeout(entry.dueMs);
  }

  disarm(entry: TimerEntry): void {
    this.#wheel.disarm(entry);
  }

  /** No entry fires any more. */
  stop(): void {
    clearTimeout(this.#timeout);
    this.#timeoutDueMs = Number.NEGATIVE_INFINITY;
  }

  #setTimeout(dueMs: number): void {
    clearTimeout(this.#timeout);
    this.#timeoutDueMs = dueMs;
    const delayMs = Math.min(Math.max(dueMs - this.#clock.nowMs, 1), TIMEOUT_MS_MAX);
    this.#timeout = setTimeout(this.#turn, delayMs).unref();
  }

  readonly #turn = (): void => {
    this.#timeoutDueMs = Number.POSITIVE_INFINITY;
    this.#wheelMs = this.#clock.nowMs;
    this.#wheel.advance(this.#wheelMs);
    const nextDueMs = this.#wheel.nextDueMs();
    if (nextDueMs !== undefined) this.#setTimeout(nextDueMs);
  };
}
