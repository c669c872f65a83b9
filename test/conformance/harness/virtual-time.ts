import type { Clock, EndOfTick, TickTask, Timers } from '../../../src/base/clock.js';
import { TimerWheel } from '../../../src/base/timer-wheel.js';

/** Some instant in 2027: expiry must not depend on which. */
const WALL_START_MS = 1_800_000_000_000;
const STEP_MS = 100;
const STEPS_MAX = 500;
const TURNS_MAX = 10_000;

/** Clock, timers and turns of a broker under test. Nothing moves unless it is told to. */
export class VirtualTime implements Clock, EndOfTick {
  readonly #wheel = new TimerWheel(0);
  #nowMs = 0;
  #commits: TickTask[] = [];
  #flushes: TickTask[] = [];
  /** Called when a task joins, so that a real event loop can end its turn. */
  onTask: () => void = () => {};

  get nowMs(): number {
    return this.#nowMs;
  }

  wallMs(): number {
    return WALL_START_MS + this.#nowMs;
  }

  get timers(): Timers {
    return this.#wheel;
  }

  get quiet(): boolean {
    return this.#commits.length === 0 && this.#flushes.length === 0;
  }

  commit(task: TickTask): void {
    this.#commits.push(task);
    this.onTask();
  }

  flush(task: TickTask): void {
    this.#flushes.push(task);
    this.onTask();
  }

  /** Ends turns until nothing is left to do. */
  run(): void {
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

  /** Moves the time in steps, so that what a timer sets off has its own time. */
  async advance(ms: number, settle: () => Promise<void>): Promise<void> {
    const endMs = this.#nowMs + ms;
    const stepMs = Math.max(STEP_MS, Math.ceil(ms / STEPS_MAX));
    await settle();
    while (this.#nowMs < endMs) {
      this.#nowMs = Math.min(endMs, this.#nowMs + stepMs);
      this.#wheel.advance(this.#nowMs);
      if (!this.quiet) await settle();
    }
    await settle();
  }
}
