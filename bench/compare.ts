/**
 * Dunlin beside other brokers and beside the floor, in the same run, round by round. Exit code 1
 * when Dunlin failed a case.
 */
import { writeFileSync } from 'node:fs';
import { type BrokerKind, canPin } from './brokers/broker.js';
import { brokerKind } from './brokers/kinds.js';
import type { BrokerName } from './brokers/names.js';
import { Comparison } from './compare/comparison.js';
import { judgeGoals } from './compare/goals.js';
import { commitOf, describeMachine } from './compare/machine.js';
import { type CompareOptions, compareOptions, usage } from './compare/options.js';
import { runOnce } from './compare/run-once.js';
import { costTable, goalTable, rateTable } from './compare/table.js';

const BROKER_CORE = 0;

async function compare(options: CompareOptions): Promise<void> {
  const kinds = options.brokers.map((name) => brokerKind(name, options.dunlin));
  const installed = kinds.filter((kind) => kind.version() !== undefined);
  const core = canPin() ? BROKER_CORE : undefined;
  const about = {
    commit: commitOf(options.dunlin ?? '.'),
    machine: describeMachine(),
    rounds: options.rounds,
    seconds: options.seconds,
    warmUpSeconds: options.warmUpSeconds,
    pinning: core === undefined ? 'none' : 'broker on core 0, generator on core 1 (taskset)',
    versions: Object.fromEntries(kinds.map((kind) => [kind.name, kind.version() ?? 'missing'])),
  };
  console.log(JSON.stringify(about, undefined, 2));
  const setups = new Map<string, string>();
  const comparisons: Comparison[] = [];
  await runAll(options, installed, core, setups, (comparison) => {
    comparisons.push(comparison);
    // After each case, so that a run that is broken off is not lost.
    save(options.json, { ...about, setups: Object.fromEntries(setups) }, comparisons);
  });
  const names = installed.map(({ name }) => name);
  console.log(`\n${costTable(comparisons, names)}\n\n${rateTable(comparisons, names)}`);
  const goals = judgeGoals(comparisons);
  if (goals.length > 0) console.log(`\n${goalTable(goals)}`);
  for (const [broker, setup] of setups) console.log(`\n${broker}: ${setup}`);
  const failed = comparisons.some((one) => one.result('dunlin')?.failure !== undefined);
  if (failed) process.exitCode = 1;
}

function save(
  file: string | undefined,
  about: Readonly<Record<string, unknown>>,
  comparisons: readonly Comparison[],
): void {
  if (file === undefined) return;
  const results = comparisons.map(({ benchCase, runs }) => ({
    name: benchCase.name,
    about: benchCase.about,
    shape: benchCase.shape,
    runs: Object.fromEntries(runs),
  }));
  const everything = { ...about, goals: judgeGoals(comparisons), results };
  writeFileSync(file, `${JSON.stringify(everything, undefined, 1)}\n`);
}

async function runAll(
  options: CompareOptions,
  kinds: readonly BrokerKind[],
  core: number | undefined,
  setups: Map<string, string>,
  done: (comparison: Comparison) => void,
): Promise<void> {
  for (const benchCase of options.cases) {
    const comparison = new Comparison(benchCase);
    const able = kinds.filter(({ name }) => benchCase.brokers.includes(name));
    for (let round = 0; round < Math.min(options.rounds, benchCase.roundsMax); round++) {
      // Nobody is always the first after a pause.
      for (let turn = 0; turn < able.length; turn++) {
        const kind = able[(turn + round) % able.length]!;
        const { result, setup } = await runOnce(kind, benchCase, options, core);
        setups.set(`${kind.name}${benchCase.needsStore ? ', with store' : ''}`, setup);
        comparison.add(kind.name, result);
        console.error(progress(benchCase.name, kind.name, round, result.failure));
      }
    }
    done(comparison);
  }
}

function progress(
  caseName: string,
  broker: BrokerName,
  round: number,
  failure: string | undefined,
): string {
  return `${caseName} ${broker} round ${round + 1}${failure === undefined ? '' : `: ${failure}`}`;
}

let options: CompareOptions | undefined;
try {
  options = compareOptions(process.argv.slice(2));
} catch (error) {
  console.error(`${error instanceof Error ? error.message : error}\n${usage}`);
  process.exitCode = 2;
}
if (options !== undefined) await compare(options);
