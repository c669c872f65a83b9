import type { Criterion } from '../scenario/criterion.js';
import type { ScenarioResult } from '../scenario/run.js';
import { shownNumber } from '../scenario/telling.js';

/** For people: a block for each scenario, and for failures the command that repeats them. */
export function table(results: readonly ScenarioResult[]): string {
  const blocks = results.map(block);
  const failed = results.filter(({ pass }) => !pass);
  const sum = `${results.length - failed.length} of ${results.length} scenarios passed`;
  const repeats = failed.map(({ name, repeat }) => `${name} failed; repeat it with\n  ${repeat}`);
  return [...blocks, sum, ...repeats].join('\n\n');
}

function block(result: ScenarioResult): string {
  const { number, name, pass, seconds, broker, criteria, error } = result;
  const verdict = pass ? 'pass' : 'FAIL';
  const head = `${verdict}  ${number} ${name}  (${broker}, ${seconds.toFixed(1)} s)`;
  if (error !== undefined) return `${head}\n      ${error}`;
  const width = Math.max(...criteria.map((criterion) => criterion.name.length));
  return [head, ...criteria.map((criterion) => row(criterion, width))].join('\n');
}

function row({ name, unit, comparison, limit, measured, pass }: Criterion, width: number): string {
  const mark = pass === undefined ? '  ? ' : pass ? ' ok ' : 'FAIL';
  const found = measured === undefined ? 'cannot be seen here' : `${shownNumber(measured)} ${unit}`;
  return `  ${mark}  ${name.padEnd(width)}  ${found}  (${comparison} ${shownNumber(limit)})`;
}
