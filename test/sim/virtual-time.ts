import type { Clock, EndOfTick, TickTask, Timers } from '../../src/base/clock.js';
import { TimerWheel } from '../../src/base/timer-wheel.js';

/** Some instant in 2027: nothing may depend on which. */
export const WALL_START_MS = 1_800_000_000_000;
const TURNS_MAX = 10_000;

/** Clock, timers and turns of one broker process. Nothing moves unless it is told to. */
export class VirtualTime implements Clock, EndOfTick {
  readonly #wheel: TimerWheel;
  /** Monotonic time begins anywhere, and anew with each process. */
  readonly #offsetMs: number;
  #worldMs: number;
  #commits: TickTask[] = [];
  #flushes: TickTask[] = [];

  constructor(worldMs: number, offsetMs = 0) {
    this.#worldMs = worldMs;
    this.#offsetMs = offsetMs;
    this.#wheel = new TimerWheel(worldMs + offsetMs);
  }

  get nowMs(): number {
    return this.#worldMs + this.#offsetMs;
  }

  wallMs(): number {
    return WALL_START_MS + this.#worldMs;
  }

  get timers(): Timers {
    return this.#wheel;
  }

  get armedTimers(): number {
    return this.#wheel.armed;
  }

  get quiet(): boolean {
    return this.#commits.length === 0 && this.#flushes.length === 0;
  }

  /** The world's time at which a timer wants to be looked at. */
  nextTimerMs(): number | undefined {
    const dueMs = this.#wheel.nextDueMs();
    return dueMs === undefined ? undefined : dueMs - this.#offsetMs;
  }

  commit(task: TickTask): void {
    this.#commits.push(task);
  }

  flush(task: TickTask): void {
    this.#flushes.push(task);
  }

  /** A turn begins: what is due fires. */
  moveTo(worldMs: number): void {
    this.#worldMs = Math.max(this.#worldMs, worldMs);
    this.#wheel.advance(this.nowMs);
  }

  /** Ends turns, the commit phase before the flush phase, until nothing is left to do. */
  endTurn(): void {
    for (let turns = 0; !this.quiet; turns++) {
      if (turns > TURNS_MAX) throw new Error('the broker does not come to rest');
      const commits = this.#commits;
      this.#commits = [];
      for (const task of commits) task.endOfTick();
      const flushes = this.#flushes;
      this.#flushes = [];
      for (const task of flushes) task.endOfTick();
    }
  }
}
