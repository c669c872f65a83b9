import { expect, test } from 'vitest';
import { LatencyHistogram } from '../../bench/load/latency-histogram.js';

test('an empty histogram has no times', () => {
  expect(new LatencyHistogram().quantile(0.5)).toBe(0);
});

test('short times are exact to the microsecond', () => {
  const histogram = new LatencyHistogram();
  for (let microseconds = 1; microseconds <= 100; microseconds++)
    histogram.add(microseconds / 1000);
  expect(histogram.quantile(0.5)).toBe(0.05);
  expect(histogram.quantile(0.99)).toBe(0.099);
  expect(histogram.quantile(1)).toBe(0.1);
});

test.each([0.256, 0.257, 1, 7.77, 63.5, 1000, 59_999])(
  '%f ms is found again within one percent',
  (ms) => {
    const histogram = new LatencyHistogram();
    histogram.add(ms);
    expect(histogram.quantile(0.5)).toBeGreaterThanOrEqual(ms - 0.001);
    expect(histogram.quantile(0.5)).toBeLessThanOrEqual(ms * 1.01);
  },
);

test('classes neither overlap nor leave a gap', () => {
  const found = new Set<number>();
  for (let microseconds = 0; microseconds < 5000; microseconds++) {
    const histogram = new LatencyHistogram();
    histogram.add(microseconds / 1000);
    found.add(histogram.quantile(1));
  }
  const greatest = [...found];
  expect(greatest).toEqual(greatest.toSorted((a, b) => a - b));
});

test('a rare long time shows in the last quantile alone', () => {
  const histogram = new LatencyHistogram();
  for (let i = 0; i < 999; i++) histogram.add(0.1);
  histogram.add(500);
  expect(histogram.quantile(0.99)).toBe(0.1);
  expect(histogram.quantile(0.9995)).toBeGreaterThan(490);
});

test('times beyond the last class and below zero are counted', () => {
  const histogram = new LatencyHistogram();
  histogram.add(-1);
  histogram.add(1e9);
  expect(histogram.total).toBe(2);
  expect(histogram.quantile(0.5)).toBe(0);
  expect(histogram.quantile(1)).toBeGreaterThan(2_000_000);
});

test('clearing forgets', () => {
  const histogram = new LatencyHistogram();
  histogram.add(5);
  histogram.clear();
  expect(histogram.total).toBe(0);
  expect(histogram.quantile(0.5)).toBe(0);
});
