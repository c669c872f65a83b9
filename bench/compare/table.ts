import type { BrokerName } from '../brokers/names.js';
import { type Comparison, costOf, ratio } from './comparison.js';
import type { GoalResult } from './goals.js';

const NOTHING = '–';

/** Markdown, padded so that it reads well without being rendered. */
export function markdownTable(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(3, ...rows.map((row) => (row[column] ?? '').length)),
  );
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join(' | ')} |`;
  const rule = `| ${widths.map((width, i) => (i === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`;
  const [head, ...body] = rows;
  return [line(head ?? []), rule, ...body.map(line)].join('\n');
}

/** One row a case: cost of each broker, and how many times Dunlin's that is. */
export function costTable(
  comparisons: readonly Comparison[],
  brokers: readonly BrokerName[],
): string {
  const rivals = brokers.filter((name) => name !== 'dunlin');
  const head = [
    'case',
    'unit',
    ...brokers,
    ...rivals.map((name) => (name === 'floor' ? 'dunlin ÷ floor' : `${name} ÷ dunlin`)),
  ];
  const rows = comparisons.map((comparison) => {
    const own = costOf(comparison.result('dunlin'));
    const times = rivals.map((name) => {
      const cost = costOf(comparison.result(name));
      return shown(name === 'floor' ? ratio(own, cost) : ratio(cost, own), 1);
    });
    return [
      comparison.benchCase.name,
      unitOf(comparison),
      ...brokers.map((name) => costShown(comparison, name)),
      ...times,
    ];
  });
  return markdownTable([head, ...rows]);
}

/** One row a case: rate, and the times of those cases in which they mean something. */
export function rateTable(
  comparisons: readonly Comparison[],
  brokers: readonly BrokerName[],
): string {
  const head = [
    'case',
    ...brokers.map((name) => `${name} /s`),
    ...brokers.map((name) => `${name} ms`),
  ];
  const rows = comparisons.map((comparison) => [
    comparison.benchCase.name,
    ...brokers.map((name) => {
      const rate = comparison.result(name)?.perSecond;
      return rate === undefined ? NOTHING : Math.round(rate).toLocaleString('en');
    }),
    ...brokers.map((name) => timesCell(comparison, name)),
  ]);
  return markdownTable([head, ...rows]);
}

/** Which goals were met. */
export function goalTable(goals: readonly GoalResult[]): string {
  const rows = goals.map(({ goal, caseName, found, isMet }) => [
    goal,
    caseName,
    found.toFixed(2),
    isMet ? 'met' : 'MISSED',
  ]);
  return markdownTable([['goal', 'case', 'found', ''], ...rows]);
}

/** A broker's failure stands where its cost would: lost messages have no price. */
export function costShown(comparison: Comparison, broker: BrokerName, unit: string = ''): string {
  const result = comparison.result(broker);
  if (result === undefined) return NOTHING;
  if (result.failure !== undefined) return 'FAILED';
  const cost = costOf(result);
  return cost === undefined ? NOTHING : `${shown(cost, 2)}${unit}`;
}

function timesCell(comparison: Comparison, broker: BrokerName): string {
  const result = comparison.result(broker);
  if (result?.p50Ms === undefined || result.failure !== undefined) return NOTHING;
  const { p50Ms, p99Ms, p999Ms } = result;
  return [p50Ms, p99Ms, p999Ms].map((ms) => (ms === undefined ? '' : ms.toFixed(2))).join(' / ');
}

function unitOf(comparison: Comparison): string {
  const results = [...comparison.runs.keys()].map((name) => comparison.result(name));
  const measured = results.find((result) => result?.failure === undefined);
  const unit = measured?.unit ?? 'message';
  return measured?.bytesEach === undefined ? `µs per ${unit}` : `B per ${unit}`;
}

function shown(value: number | undefined, digits: number): string {
  if (value === undefined) return NOTHING;
  return value >= 100 ? value.toFixed(0) : value.toFixed(digits);
}
