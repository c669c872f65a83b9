import type { CaseResult } from '../load/result.js';

/** Each number's own median over the runs; a failure of one run is a failure of all. */
export function medians(runs: readonly CaseResult[]): CaseResult {
  const result: Record<string, unknown> = { ...runs[0] };
  for (const name of new Set(runs.flatMap((run) => Object.keys(run)))) {
    const values = runs.map((run) => (run as Record<string, unknown>)[name]);
    const numbers = values.filter((value) => typeof value === 'number');
    if (numbers.length > 0) result[name] = median(numbers);
  }
  const failure = runs.find((run) => run.failure !== undefined)?.failure;
  return { ...result, failure };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
}
