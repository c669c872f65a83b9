import { markdownTable } from '../compare/table.js';
import { type Measured, timesQuiet } from './measured.js';

const HEAD = [
  'attack',
  'quiet p50 / p99 ms',
  'attacked p50 / p99 / longest ms',
  'other broker p99 ms',
  '× quiet',
  'MiB',
  'log',
];

/** Markdown: one row an attack, those that cost others most first. */
export function resultTable(results: readonly Measured[]): string {
  const sorted = [...results].sort((a, b) => timesQuiet(b).own - timesQuiet(a).own);
  return markdownTable([HEAD, ...sorted.map(row)]);
}

function row(measured: Measured): string[] {
  const { file, test, quiet, pulse, control, growthMiB, lines } = measured;
  return [
    `${file}: ${test}`,
    `${ms(quiet.p50Ms)} / ${ms(quiet.p99Ms)}`,
    `${ms(pulse.p50Ms)} / ${ms(pulse.p99Ms)} / ${ms(pulse.maxMs)}`,
    ms(control.p99Ms),
    timesQuiet(measured).own.toFixed(1),
    growthMiB.toFixed(0),
    `${lines} lines`,
  ];
}

/** Two digits that mean something. */
export function ms(value: number): string {
  return value < 10 ? value.toFixed(1) : value.toFixed(0);
}
