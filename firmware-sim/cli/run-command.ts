import { writeFileSync } from 'node:fs';
import { type Command, Option } from 'commander';
import type { BrokerKindName, BrokerUnderTest } from '../broker/broker.js';
import { BrokerProcess } from '../broker/broker-process.js';
import { brokerCommand } from '../broker/commands.js';
import { externalBroker } from '../broker/external.js';
import { table } from '../report/table.js';
import { runScenarios, type ScenarioResult } from '../scenario/run.js';
import type { Scenario } from '../scenario/scenario.js';
import type { Scale } from '../scenario/world.js';
import { chosenScenarios, scenarios } from '../scenarios/catalog.js';
import { canHaveSmallWindows, INSIDE_FLAG, runInSmallWindows } from './small-windows.js';
import { oneOf, wholeNumber } from './values.js';

export interface RunFlags {
  readonly list?: boolean;
  readonly scenario?: string;
  readonly broker?: string;
  readonly pid?: string;
  readonly start: string;
  readonly brokerConfig?: string;
  readonly seed: string;
  readonly scale: string;
  readonly byteSplit?: boolean;
  readonly json?: string;
  readonly quiet?: boolean;
  readonly inSmallWindows?: boolean;
}

const KINDS: readonly BrokerKindName[] = ['dunlin', 'mosquitto', 'aedes'];
const SCALES: readonly Scale[] = ['ci', 'full'];

export function addRunOptions(program: Command): Command {
  return program
    .option('--list', 'print the scenarios')
    .option('--scenario <list>', 'numbers or names, separated by commas (default all)')
    .option('--broker <url>', 'mqtt://host:port of a broker that runs, instead of starting one')
    .option('--pid <pid>', 'process of that broker, to see its memory')
    .option('--start <kind>', 'which broker to start: dunlin, mosquitto or aedes', 'dunlin')
    .option('--broker-config <file>', 'configuration file for the broker that is started')
    .option('--seed <number>', 'what is by chance is the same for the same seed', '1')
    .option('--scale <scale>', 'full, or ci: smaller and shorter', 'full')
    .option('--byte-split', 'every byte of a device travels in a segment of its own')
    .option('--json <file>', 'write the results as JSON, to - for standard output')
    .option('--quiet', 'no progress while it runs')
    .addOption(new Option(INSIDE_FLAG).hideHelp());
}

/** The exit code. */
export async function run(flags: RunFlags): Promise<number> {
  const chosen = chosenScenarios(flags.scenario);
  if (flags.list === true) {
    process.stdout.write(`${listOf(chosen)}\n`);
    return 0;
  }
  const start = oneOf('--start', flags.start, KINDS);
  const seed = wholeNumber('--seed', flags.seed);
  const scale = oneOf('--scale', flags.scale, SCALES);
  const byteSplit = flags.byteSplit ?? false;
  const external = flags.broker;
  const pid = flags.pid === undefined ? undefined : wholeNumber('--pid', flags.pid);
  const startedAt = new Date().toISOString();
  const results = await runScenarios({
    scenarios: external === undefined ? chosen : chosen.filter((one) => !one.needsOwnBroker),
    seed,
    scale,
    byteSplit,
    startBroker: (scenario) =>
      external === undefined
        ? startFor(scenario, start, flags.brokerConfig)
        : Promise.resolve(externalBroker(external, pid)),
    repeat: (scenario) => ['npx dunlin-sim', ...repeatFlags(scenario, flags)].join(' '),
    elsewhere: (scenario) => elsewhere(scenario, flags),
    say: (text) => {
      if (flags.quiet !== true) process.stderr.write(`${clockNow()} ${text}\n`);
    },
  });
  const pass = results.every((result) => result.pass);
  if (flags.json !== '-') process.stdout.write(`${table(results)}\n`);
  if (flags.json !== undefined) {
    const report = { startedAt, seed, scale, byteSplit, pass, scenarios: results };
    const text = `${JSON.stringify(report, undefined, 2)}\n`;
    if (flags.json === '-') process.stdout.write(text);
    else writeFileSync(flags.json, text);
  }
  return pass ? 0 : 1;
}

function startFor(
  scenario: Scenario,
  kind: BrokerKindName,
  configFile: string | undefined,
): Promise<BrokerUnderTest> {
  const persistent = scenario.needsOwnBroker ?? false;
  return BrokerProcess.start(brokerCommand(kind, { persistent, configFile }));
}

/** In small windows where it needs them, may have them, and the broker comes along. */
function elsewhere(scenario: Scenario, flags: RunFlags): Promise<ScenarioResult> | undefined {
  if (scenario.smallWindows !== true || flags.inSmallWindows === true) return undefined;
  if (flags.broker !== undefined || !canHaveSmallWindows()) return undefined;
  const quiet = flags.quiet === true ? ['--quiet'] : [];
  return runInSmallWindows([...repeatFlags(scenario, flags), ...quiet]);
}

/** What does the same again. */
function repeatFlags({ number }: Scenario, flags: RunFlags): string[] {
  const words = ['--scenario', String(number), '--seed', flags.seed, '--scale', flags.scale];
  if (flags.broker === undefined) words.push('--start', flags.start);
  else words.push('--broker', flags.broker);
  if (flags.pid !== undefined) words.push('--pid', flags.pid);
  if (flags.brokerConfig !== undefined) words.push('--broker-config', flags.brokerConfig);
  if (flags.byteSplit === true) words.push('--byte-split');
  return words;
}

function listOf(chosen: readonly Scenario[]): string {
  const width = Math.max(...scenarios.map(({ name }) => name.length));
  const lines = chosen.map(
    ({ number, name, about }) => `${String(number).padStart(2)}  ${name.padEnd(width)}  ${about}`,
  );
  return lines.join('\n');
}

function clockNow(): string {
  return new Date().toTimeString().slice(0, 8);
}
