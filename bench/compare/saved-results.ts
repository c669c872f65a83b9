import { readFileSync } from 'node:fs';
import { type BrokerName, brokerNames } from '../brokers/names.js';
import { cases } from '../cases/catalog.js';
import type { CaseResult } from '../load/result.js';
import { Comparison } from './comparison.js';
import type { Machine } from './machine.js';

/** What stands in one file. */
interface Saved {
  readonly commit: string;
  readonly machine: Machine;
  readonly rounds: number;
  readonly seconds: number;
  readonly warmUpSeconds: number;
  readonly pinning: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly setups: Readonly<Record<string, string>>;
  readonly results: readonly {
    readonly name: string;
    readonly runs: Partial<Record<BrokerName, readonly CaseResult[]>>;
  }[];
}

export interface SavedRun extends Omit<Saved, 'results'> {
  readonly file: string;
}

/** Several runs as one. */
export interface SavedResults {
  readonly runs: readonly SavedRun[];
  /** In the order of the catalog. */
  readonly comparisons: readonly Comparison[];
  /** Those that took part anywhere. */
  readonly brokers: readonly BrokerName[];
}

/** Of a case that is in several files the last one counts. */
export function readResults(files: readonly string[]): SavedResults {
  const byCase = new Map<string, Comparison>();
  const runs: SavedRun[] = [];
  for (const file of files) {
    const { results, ...run } = JSON.parse(readFileSync(file, 'utf8')) as Saved;
    runs.push({ ...run, file });
    for (const { name, runs: own } of results) {
      const benchCase = cases.find((one) => one.name === name);
      if (benchCase === undefined) throw new Error(`${file}: there is no case ${name} any more`);
      const comparison = new Comparison(benchCase);
      for (const broker of brokerNames) {
        for (const result of own[broker] ?? []) comparison.add(broker, result);
      }
      byCase.set(name, comparison);
    }
  }
  const comparisons = cases.flatMap(({ name }) => byCase.get(name) ?? []);
  const brokers = brokerNames.filter((name) => comparisons.some((one) => one.runs.has(name)));
  return { runs, comparisons, brokers };
}
