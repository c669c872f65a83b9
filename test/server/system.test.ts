import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { TimerEntry } from '../../src/base/clock.js';
import { SystemRandom } from '../../src/server/random.js';
import { SystemTick, SystemTimers } from '../../src/server/system.js';

beforeEach(() => {
  vi.useFakeTimers({
    toFake: ['setTimeout', 'clearTimeout', 'setImmediate', 'performance', 'Date'],
  });
});
afterEach(() => {
  vi.useRealTimers();
});

test('commits run before flushes, and what commits add to flush runs in the same turn', () => {
  const tick = new SystemTick();
  const order: string[] = [];
  const task = (name: string, more?: () => void) => ({
    endOfTick: () => {
      order.push(name);
      more?.();
    },
  });
  tick.flush(task('flush 1'));
  tick.commit(task('commit 1', () => tick.flush(task('flush 2'))));
  tick.commit(task('commit 2', () => tick.commit(task('commit 3'))));
  tick.flush(task('flush 3', () => tick.flush(task('flush 4'))));
  expect(order).toEqual([]);
  vi.advanceTimersToNextTimer();
  expect(order).toEqual(['commit 1', 'commit 2', 'flush 1', 'flush 3', 'flush 2']);
  vi.advanceTimersToNextTimer();
  expect(order.slice(5)).toEqual(['commit 3', 'flush 4']);
  expect(vi.getTimerCount()).toBe(0);
});

test('a tick has one time', () => {
  const tick = new SystemTick();
  const nowMs = tick.nowMs;
  vi.setSystemTime(Date.now() + 1000);
  expect(tick.nowMs).toBe(nowMs);
  vi.advanceTimersByTime(500);
  expect(tick.nowMs).toBe(nowMs + 500);
  expect(Math.abs(tick.wallMs() - Date.now())).toBeLessThan(1);
});

test('entries fire when due, not early, and a moved one only at its new time', () => {
  const tick = new SystemTick();
  const timers = new SystemTimers(tick);
  vi.advanceTimersByTime(1234);
  const startMs = performance.now();
  const fired: [string, number][] = [];
  const entry = (name: string) =>
    new TimerEntry(() => fired.push([name, performance.now() - startMs]));
  const moved = entry('moved');
  const gone = entry('gone');
  timers.arm(moved, 1000);
  timers.arm(entry('late'), 90_000);
  timers.arm(entry('early'), 50);
  timers.arm(gone, 60);
  timers.disarm(gone);
  vi.advanceTimersByTime(900);
  timers.arm(moved, 1000);
  vi.advanceTimersByTime(200_000);
  expect(fired.map(([name]) => name)).toEqual(['early', 'moved', 'late']);
  const dues = [50, 1900, 90_000];
  fired.forEach(([, atMs], i) => {
    expect(atMs).toBeGreaterThanOrEqual(dues[i]!);
    expect(atMs).toBeLessThan(dues[i]! + 12);
  });
});

test('an idle broker sleeps', () => {
  const timers = new SystemTimers(new SystemTick());
  timers.arm(new TimerEntry(() => {}), 3_600_000);
  vi.advanceTimersByTime(1);
  const wakes = vi.spyOn(globalThis, 'setTimeout');
  vi.advanceTimersByTime(3_600_100);
  expect(wakes.mock.calls.length).toBeLessThan(10);
  expect(vi.getTimerCount()).toBe(0);
});

test('after the stop nothing fires', () => {
  const timers = new SystemTimers(new SystemTick());
  const fire = vi.fn();
  timers.arm(new TimerEntry(fire), 10);
  timers.stop();
  timers.arm(new TimerEntry(fire), 10);
  vi.advanceTimersByTime(1000);
  expect(fire).not.toHaveBeenCalled();
});

test('random numbers stay below their limit and reach all of it', () => {
  const random = new SystemRandom();
  const seen = new Set(Array.from({ length: 2000 }, () => random.below(7)));
  expect([...seen].sort()).toEqual([0, 1, 2, 3, 4, 5, 6]);
  expect(random.below(1)).toBe(0);
  expect(random.below(2 ** 32)).toBeLessThan(2 ** 32);
});
