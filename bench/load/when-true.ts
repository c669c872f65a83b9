import { setTimeout as delay } from 'node:timers/promises';

const LOOK_EVERY_MS = 2;

/** Whether the condition came true in time. */
export async function whenTrue(condition: () => boolean, withinMs: number): Promise<boolean> {
  const deadlineMs = performance.now() + withinMs;
  while (!condition()) {
    if (performance.now() > deadlineMs) return false;
    await delay(LOOK_EVERY_MS);
  }
  return true;
}
