import { expect, it } from 'vitest';
import { describeOutcome, runWorld } from './run-world.js';
import { failingDisk } from './scenarios/queues.js';

/** A world small enough to be run once for each operation of its disk. */
const small = {
  activeMs: 250,
  publishEveryMs: 40,
  payloadBytesMax: 10,
  latencyMsMax: 3,
  diskLatencyMsMax: 5,
  resetEveryMs: 0,
  vanishEveryMs: 0,
  clogEveryMs: 0,
  clientReceiveMaximum: 10,
  cutting: 'glued',
  failAtRead: -1,
} as const;
const OPERATIONS_MAX = 500;

it.each([1, 2])('every write fails once, one after the other (seed %i)', async (seed) => {
  let failAtWrite = 0;
  for (; failAtWrite < OPERATIONS_MAX; failAtWrite++) {
    const outcome = await runWorld(seed, failingDisk, { ...small, failAtWrite });
    expect(outcome.violations.length, describeOutcome(outcome)).toBe(0);
    // One crash is the audit's own: in this run the fault was not met while things could go wrong.
    if (outcome.crashes === 1) break;
  }
  expect(failAtWrite).toBeGreaterThan(5);
  expect(failAtWrite).toBeLessThan(OPERATIONS_MAX);
});
