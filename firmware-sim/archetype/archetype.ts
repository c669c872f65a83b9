import type { Criterion } from '../scenario/criterion.js';

/** A device at its everyday work, with whoever it works for. */
export interface Playing {
  /** No new work; what has begun is finished as far as it can be. */
  finish(): Promise<void>;
  /** Its job, and whether it was done. */
  criteria(): readonly Criterion[];
}
