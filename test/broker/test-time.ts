import type { Clock, EndOfTick, TickTask, Timers } from '../../src/base/clock.js';
import { VirtualTime } from '../sim/virtual-time.js';

const STEPS = 200;

/** Virtual time that outlives the processes under test: `forget` begins the next one. */
export class TestTime implements Clock, EndOfTick {
  #process = new VirtualTime(0);

  get nowMs(): number {
    return this.#process.nowMs;
  }

  wallMs(): number {
    return this.#process.wallMs();
  }

  get timers(): Timers {
    return this.#process.timers;
  }

  /** Number of timers that wait. */
  get armed(): number {
    return this.#process.armedTimers;
  }

  get quiet(): boolean {
    return this.#process.quiet;
  }

  commit(task: TickTask): void {
    this.#process.commit(task);
  }

  flush(task: TickTask): void {
    this.#process.flush(task);
  }

  /** Ends turns until nothing is left to do. */
  run(): void {
    this.#process.endTurn();
  }

  /** Moves the time in steps, `settle` behind each, so that what a timer sets off has its own time. */
  advance(ms: number, settle: () => void = () => this.run()): void {
    settle();
    const endMs = this.nowMs + ms;
    const stepMs = Math.max(1, Math.ceil(ms / STEPS));
    while (this.nowMs < endMs) {
      this.#process.moveTo(Math.min(endMs, this.nowMs + stepMs));
      settle();
    }
  }

  /** The process is gone: its timers and tasks with it. Time goes on. */
  forget(): void {
    this.passWhileDown(0);
  }

  /** Time passes with no process to see it. */
  passWhileDown(ms: number): void {
    this.#process = new VirtualTime(this.nowMs + ms);
  }
}
