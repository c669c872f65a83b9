import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TimerEntry } from '../../src/base/clock.js';
import { TimerWheel } from '../../src/base/timer-wheel.js';

const TICK_MS = 4;
const YEAR_MS = 365 * 86_400_000;

/** When an entry due then fires: at the first multiple of a tick, one tick ahead at least. */
function firesAtMs(nowMs: number, dueMs: number): number {
  const next = (Math.floor(nowMs / TICK_MS) + 1) * TICK_MS;
  return Math.max(Math.ceil(dueMs / TICK_MS) * TICK_MS, next);
}

/** Delays of every size: within a tick, across each level of the wheel, up to 2^32 seconds. */
const delayMs = fc
  .tuple(fc.double({ min: 0, max: 42, noNaN: true }), fc.boolean())
  .map(([power, whole]) => (whole ? Math.floor(2 ** power) : 2 ** power - 1));

const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ arm: fc.nat(7), delayMs }) },
  { weight: 1, arbitrary: fc.record({ disarm: fc.nat(7) }) },
  { weight: 4, arbitrary: fc.record({ sleepMs: delayMs }) },
  { weight: 2, arbitrary: fc.constant({ untilNext: true }) },
);

describe('TimerWheel', () => {
  it('fires what a plain list of timers fires, at each step', () => {
    const start = fc.double({ min: 0, max: 2 ** 41, noNaN: true });
    fc.assert(
      fc.property(start, fc.array(step, { maxLength: 60 }), (startMs, steps) => {
        let nowMs = startMs;
        const wheel = new TimerWheel(nowMs);
        const fired: number[] = [];
        const model = new Map<number, { dueMs: number; at: number }>();
        const entries = Array.from(
          { length: 8 },
          (_, i) => new TimerEntry(() => void fired.push(i)),
        );
        for (const todo of steps) {
          if ('arm' in todo) {
            wheel.arm(entries[todo.arm]!, todo.delayMs);
            const dueMs = nowMs + todo.delayMs;
            const at = firesAtMs(nowMs, dueMs);
            model.set(todo.arm, { dueMs, at });
            expect(entries[todo.arm]!.dueMs).toBe(dueMs);
          } else if ('disarm' in todo) {
            wheel.disarm(entries[todo.disarm]!);
            model.delete(todo.disarm);
          } else {
            const nextMs = wheel.nextDueMs();
            nowMs = 'sleepMs' in todo ? nowMs + todo.sleepMs : Math.max(nowMs, nextMs ?? nowMs);
            fired.length = 0;
            wheel.advance(nowMs);
            const due = [...model].filter(([, timer]) => timer.at <= nowMs);
            for (const [i] of due) model.delete(i);
            expect(new Set(fired)).toEqual(new Set(due.map(([i]) => i)));
            expect(fired.length).toBe(due.length);
          }
          const earliest = Math.min(...[...model.values()].map((timer) => timer.at));
          expect(wheel.armed).toBe(model.size);
          expect(entries.map((entry) => entry.armed)).toEqual(entries.map((_, i) => model.has(i)));
          if (model.size === 0) expect(wheel.nextDueMs()).toBeUndefined();
          else expect(wheel.nextDueMs()).toBeLessThanOrEqual(earliest);
        }
      }),
      { numRuns: 400 },
    );
  });

  it('reaches any timer in a few sleeps', () => {
    for (const delay of [0, 3, 255, 256, 90_000, 86_400_000, 2 ** 32 * 1000]) {
      const wheel = new TimerWheel(12_345);
      const firedAtMs: number[] = [];
      let sleeps = 0;
      let nowMs = 12_345;
      wheel.arm(new TimerEntry(() => void firedAtMs.push(nowMs)), delay);
      for (let next = wheel.nextDueMs(); next !== undefined; next = wheel.nextDueMs()) {
        expect(next).toBeGreaterThan(nowMs);
        nowMs = next;
        sleeps++;
        wheel.advance(nowMs);
      }
      expect(firedAtMs).toEqual([firesAtMs(12_345, 12_345 + delay)]);
      expect(sleeps).toBeLessThanOrEqual(7);
    }
  });

  it('fires in order of time within one advance', () => {
    const wheel = new TimerWheel(0);
    const fired: number[] = [];
    const delays = [70_000, 40, 1_000_000, 300, 4, 20_000, 3_000_000_000];
    for (const delay of delays) wheel.arm(new TimerEntry(() => void fired.push(delay)), delay);
    wheel.advance(YEAR_MS);
    expect(fired).toEqual(delays.toSorted((a, b) => a - b));
  });

  it('lets a firing entry arm, move and disarm entries, itself included', () => {
    const wheel = new TimerWheel(0);
    const fired: string[] = [];
    const victim = new TimerEntry(() => void fired.push('victim'));
    const moved = new TimerEntry(() => void fired.push('moved'));
    const fresh = new TimerEntry(() => void fired.push('fresh'));
    const again = new TimerEntry((entry) => {
      fired.push('again');
      expect(entry.armed).toBe(false);
      wheel.arm(entry, 1000);
      wheel.disarm(victim);
      wheel.arm(moved, 500);
      wheel.arm(fresh, 0);
    });
    wheel.arm(again, 100);
    wheel.arm(victim, 100);
    wheel.arm(moved, 100);
    wheel.advance(100);
    expect(fired).toEqual(['again']);
    wheel.advance(104);
    expect(fired).toEqual(['again', 'fresh']);
    wheel.advance(600);
    expect(fired).toEqual(['again', 'fresh', 'moved']);
    wheel.advance(1100);
    expect(fired).toEqual(['again', 'fresh', 'moved', 'again']);
    expect(wheel.armed).toBe(3);
  });

  it('does not spin on an entry that arms itself without delay', () => {
    const wheel = new TimerWheel(0);
    let count = 0;
    const restless = new TimerEntry((entry) => {
      count++;
      wheel.arm(entry, 0);
    });
    wheel.arm(restless, 0);
    wheel.advance(1_000_000);
    expect(count).toBeLessThanOrEqual(2);
    expect(wheel.armed).toBe(1);
  });

  it('takes a moved entry where it was moved to, earlier and later', () => {
    const wheel = new TimerWheel(0);
    const firedAt: number[] = [];
    let nowMs = 0;
    const entry = new TimerEntry(() => void firedAt.push(nowMs));
    const advanceTo = (ms: number): void => {
      nowMs = ms;
      wheel.advance(ms);
    };
    wheel.arm(entry, 1000);
    wheel.arm(entry, 5000);
    wheel.arm(entry, 2000);
    advanceTo(1996);
    expect(firedAt).toEqual([]);
    advanceTo(2000);
    wheel.arm(entry, 90_000);
    for (let ms = 2000; ms < 200_000; ms += 1000) {
      advanceTo(ms);
      wheel.arm(entry, 90_000);
    }
    expect(firedAt).toEqual([2000]);
    advanceTo(289_000);
    expect(firedAt).toEqual([2000, 289_000]);
  });

  it('refuses a delay that is no number', () => {
    const wheel = new TimerWheel(0);
    const entry = new TimerEntry(() => {});
    expect(() => wheel.arm(entry, Number.NaN)).toThrow();
    expect(() => wheel.arm(entry, -1)).toThrow();
    expect(wheel.armed).toBe(0);
  });
});
