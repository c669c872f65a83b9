import { describe, expect, it } from 'vitest';
import { Patience } from '../../src/store/patience.js';

function start(): Patience {
  return new Patience({ graceMs: 4, busyGraceMs: 100 });
}

/** Clients that take this long, until that is the average. */
function expectOften(patience: Patience, acknowledgeMs: number, nowMs: number): void {
  for (let i = 0; i < 2000; i++) patience.waitsFor(acknowledgeMs, nowMs);
}

describe('Patience', () => {
  it('is short for clients that are prompt, and has none for others', () => {
    const patience = start();
    patience.count(255, 1000);
    expect(patience.waitsFor(16, 1000)).toBe(true);
    expect(patience.waitsFor(17, 1000)).toBe(false);
    expect(patience.graceMs(1000)).toBe(4);
  });

  it('follows the time that clients take while much comes, within bounds', () => {
    const patience = start();
    patience.count(200, 1000);
    patience.count(56, 1015);
    expect(patience.graceMs(1015)).toBe(20);
    expectOften(patience, 10, 1015);
    expect(patience.graceMs(1015)).toBeGreaterThan(30);
    expect(patience.graceMs(1015)).toBeLessThanOrEqual(40);
    expectOften(patience, 64, 1015);
    expect(patience.graceMs(1015)).toBe(100);
    expect(patience.waitsFor(100, 1015)).toBe(true);
    expect(patience.waitsFor(101, 1015)).toBe(false);
  });

  it('is short again a second after the last that was much', () => {
    const patience = start();
    patience.count(256, 1000);
    patience.count(200, 1100);
    expect(patience.graceMs(1999)).toBe(20);
    expectOften(patience, 16, 1999);
    expect(patience.waitsFor(50, 1999)).toBe(true);
    expect(patience.graceMs(2000)).toBe(4);
    expect(patience.waitsFor(50, 2000)).toBe(false);
  });

  it('does not let all wait for one that is much slower than the others', () => {
    const patience = start();
    patience.count(256, 1000);
    expectOften(patience, 1, 1000);
    expect(patience.waitsFor(30, 1000)).toBe(false);
    for (let i = 0; i < 2000; i++) patience.waitsFor(30, 1000);
    expect(patience.waitsFor(30, 1000)).toBe(true);
  });

  it('does not take little at a time for much', () => {
    const patience = start();
    for (let nowMs = 0; nowMs < 10_000; nowMs += 16) patience.count(255, nowMs);
    expect(patience.graceMs(10_000)).toBe(4);
  });

  it('is never longer than the grace where nothing else is said', () => {
    const patience = new Patience({ graceMs: 4 });
    patience.count(100_000, 1000);
    expect(patience.graceMs(1000)).toBe(4);
    expect(patience.waitsFor(16, 1000)).toBe(true);
  });
});
