import type { TickTask } from '../../../src/base/clock.js';
import { VirtualTime as ProcessTime } from '../../sim/virtual-time.js';

const STEP_MS = 100;
const STEPS_MAX = 500;

/** Clock, timers and turns of a broker under test, moved in steps and able to follow a real loop. */
export class VirtualTime extends ProcessTime {
  /** Called when a task joins, so that a real event loop can end its turn. */
  onTask: () => void = () => {};

  constructor() {
    super(0);
  }

  override commit(task: TickTask): void {
    super.commit(task);
    this.onTask();
  }

  override flush(task: TickTask): void {
    super.flush(task);
    this.onTask();
  }

  /** Ends turns until nothing is left to do. */
  run(): void {
    this.endTurn();
  }

  /** Moves the time in steps, so that what a timer sets off has its own time. */
  async advance(ms: number, settle: () => Promise<void>): Promise<void> {
    const endMs = this.nowMs + ms;
    const stepMs = Math.max(STEP_MS, Math.ceil(ms / STEPS_MAX));
    await settle();
    while (this.nowMs < endMs) {
      this.moveTo(Math.min(endMs, this.nowMs + stepMs));
      if (!this.quiet) await settle();
    }
    await settle();
  }
}
