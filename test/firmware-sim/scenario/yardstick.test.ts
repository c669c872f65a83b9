import { setTimeout as delay } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { realClock } from '../../../firmware-sim/base/clock.js';
import { Ledger } from '../../../firmware-sim/scenario/ledger.js';
import {
  HELD_UP_MS_MAX,
  heldUpAtMost,
  Silence,
  Yardstick,
} from '../../../firmware-sim/scenario/yardstick.js';

const PATIENCE_MS = 60_000;

async function yardstick(): Promise<Yardstick> {
  const own = await Yardstick.start(realClock);
  onTestFinished(() => own.stop());
  return own;
}

/** Nothing of this process goes on, as on a machine that has no time for it. */
function standStill(waitMs: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, waitMs);
}

test('what does not come while echoes do is held up', async () => {
  const own = await yardstick();
  const sentMs = realClock.nowMs();
  // However slow this machine is, in the end it is the answer that is missing.
  const beyond = () => own.beyondMs(sentMs, realClock.nowMs());
  await expect.poll(beyond, { timeout: PATIENCE_MS }).toBeGreaterThan(HELD_UP_MS_MAX);
  const ledger = new Ledger();
  const stream = ledger.stream('late', 1, own);
  ledger.take(stream.next(sentMs), realClock.nowMs());
  expect(heldUpAtMost('late', stream.heldUpMs)).toMatchObject({ pass: false });
  const silence = new Silence(own, sentMs);
  silence.broken(realClock.nowMs());
  silence.broken(realClock.nowMs());
  expect(silence.longestMs).toBeGreaterThan(HELD_UP_MS_MAX);
}, 90_000);

test('what a machine that stands still costs is not held up by anybody', async () => {
  const own = await yardstick();
  await delay(100);
  const sentMs = realClock.nowMs();
  standStill(2 * HELD_UP_MS_MAX);
  await delay(1);
  expect(own.beyondMs(sentMs, realClock.nowMs())).toBe(0);
  expect(own.slowestMs(sentMs, realClock.nowMs())).toBeGreaterThan(HELD_UP_MS_MAX);
});

test('a slow answer of the echo counts for what was under way at that time alone', async () => {
  const own = await yardstick();
  await delay(100);
  const fromMs = realClock.nowMs();
  standStill(400);
  const toMs = realClock.nowMs();
  expect(own.slowestMs(fromMs, toMs)).toBeGreaterThan(300);
  const quiet = () => own.slowestMs(realClock.nowMs() - 30, realClock.nowMs());
  await expect.poll(quiet, { timeout: PATIENCE_MS }).toBeLessThan(300);
  expect(own.slowestMs(fromMs, toMs)).toBeGreaterThan(300);
}, 90_000);
