import type { Clock, EndOfTick, TickTask, Timers } from '../../src/base/clock.js';
import { TimerWheel } from '../../src/base/timer-wheel.js';

const WALL_START_MS = 1_800_000_000_000;
const STEPS = 200;
const TURNS_MAX = 20_000;

/** Clock, timers and turns. Nothing moves unless it is told to. */
export class TestTime implements Clock, EndOfTick {
  nowMs = 0;
  #wheel = new TimerWheel(0);
  #commits: TickTask[] = [];
  #flushes: TickTask[] = [];

  wallMs(): number {
    return WALL_START_MS + this.nowMs;
  }

  get timers(): Timers {
    return this.#wheel;
  }

  /** Number of timers that wait. */
  get armed(): number {
    return this.#wheel.armed;
  }

  get quiet(): boolean {
    return this.#commits.length === 0 && this.#flushes.length === 0;
  }

  commit(task: TickTask): void {
    this.#commits.push(task);
  }

  flush(task: TickTask): void {
    this.#flushes.push(task);
  }

  /** Ends turns until nothing is left to do. */
  run(): void {
    for (let turns = 0; !this.quiet; turns++) {
      if (turns > TURNS_MAX) throw new Error('it does not come to rest');
      const commits = this.#commits;
      this.#commits = [];
      for (const task of commits) task.endOfTick();
      const flushes = this.#flushes;
      this.#flushes = [];
      for (const task of flushes) task.endOfTick();
    }
  }

  /** Moves the time in steps, `settle` behind each, so that what a timer sets off has its own time. */
  advance(ms: number, settle: () => void = () => this.run()): void {
    settle();
    const endMs = this.nowMs + ms;
    const stepMs = Math.max(1, Math.ceil(ms / STEPS));
    while (this.nowMs < endMs) {
      this.nowMs = Math.min(endMs, this.nowMs + stepMs);
      this.#wheel.advance(this.nowMs);
      settle();
    }
  }

  /** The process is gone: its timers and tasks with it. Time goes on. */
  forget(): void {
    this.#commits = [];
    this.#flushes = [];
    this.#wheel = new TimerWheel(this.nowMs);
  }
}
