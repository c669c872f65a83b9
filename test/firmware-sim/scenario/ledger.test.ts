import { expect, test } from 'vitest';
import { jainFairness, Samples } from '../../../firmware-sim/base/samples.js';
import { atLeast, atMost, exactly } from '../../../firmware-sim/scenario/criterion.js';
import { Ledger } from '../../../firmware-sim/scenario/ledger.js';

function ledgerWith(received: readonly number[]): Ledger {
  const ledger = new Ledger();
  const stream = ledger.stream('s', 1);
  const payloads = Array.from({ length: 6 }, (_, index) => stream.next(index));
  for (const number of received) ledger.take(payloads[number]!, number + 10);
  return ledger;
}

test.each([
  ['all in order', [0, 1, 2, 3, 4, 5], { lost: 0, duplicated: 0, reordered: 0 }],
  ['one missing', [0, 1, 2, 4, 5], { lost: 1, duplicated: 0, reordered: 0 }],
  ['one twice', [0, 1, 1, 2, 3, 4, 5], { lost: 0, duplicated: 1, reordered: 0 }],
  ['one late', [0, 2, 3, 1, 4, 5], { lost: 0, duplicated: 0, reordered: 1 }],
  [
    'all again after the end',
    [0, 1, 2, 3, 1, 2, 3, 4, 5],
    { lost: 0, duplicated: 3, reordered: 0 },
  ],
  ['nothing', [], { lost: 6, duplicated: 0, reordered: 0 }],
])('%s', (_name, received, expected) => {
  expect(ledgerWith(received).tallies()['qos1']).toMatchObject({ sent: 6, ...expected });
});

test('fairness is over the share that each publisher brought through', () => {
  const ledger = ledgerWith([0, 1, 2]);
  expect(ledger.fairness()).toBe(1);
  const all = ledger.stream('whole', 0);
  for (let i = 0; i < 6; i++) ledger.take(all.next(i), i);
  expect(ledger.fairness()).toBeCloseTo(0.9);
  expect(ledger.deliveries()).toMatchObject({
    qos0: { lost: 0, delayMs: { count: 6, max: 0 } },
    qos1: { lost: 3, delayMs: { count: 3, p50: 10 } },
  });
  expect(new Ledger().fairness()).toBeUndefined();
});

test('delays are of the first copy', () => {
  const ledger = ledgerWith([0, 1, 1]);
  expect(ledger.stream('s', 1).delayMs.values).toEqual([10, 10]);
});

test('payloads reach the size that is asked for, and others are none of ours', () => {
  const ledger = new Ledger();
  expect(ledger.stream('s', 0).next(1, 200).length).toBe(200);
  expect(ledger.take('online', 1)).toBeUndefined();
  expect(ledger.take('unknown 1 2', 1)).toBeUndefined();
});

test('a criterion holds, does not hold, or cannot be judged', () => {
  expect(atMost('x', 'ms', 5, 5).pass).toBe(true);
  expect(atMost('x', 'ms', 5, 5.1).pass).toBe(false);
  expect(atLeast('x', 'ms', 5, 4).pass).toBe(false);
  expect(exactly('x', 'ms', 5, 5).pass).toBe(true);
  expect(exactly('x', 'ms', 5, 6).pass).toBe(false);
  expect(atMost('x', 'ms', 5, undefined).pass).toBeUndefined();
  // The percentile of nothing is no success.
  expect(atMost('x', 'ms', 5, new Samples().percentile(0.99)).pass).toBe(false);
  expect(atLeast('x', 'ms', 5, Number.NaN).pass).toBe(false);
});

test("percentiles and Jain's index", () => {
  const samples = new Samples();
  for (let value = 1; value <= 100; value++) samples.add(value);
  expect(samples.distribution()).toEqual({ count: 100, p50: 51, p99: 100, max: 100 });
  expect(jainFairness([5, 5, 5, 5])).toBe(1);
  expect(jainFairness([8, 0, 0, 0])).toBe(0.25);
});
