import { writeFileSync } from 'node:fs';
import { type Command, Option } from 'commander';
import { table } from '../report/table.js';
import type { Scenario } from '../scenario/scenario.js';
import { chosenScenarios, scenarios } from '../scenarios/catalog.js';
import { type Comparison, compare } from './compare.js';
import { machineInWords } from './machine.js';
import { type RunFlags, runChosen, settingsOf } from './run-chosen.js';
import { INSIDE_FLAG } from './small-windows.js';

export function addRunOptions(program: Command): Command {
  return program
    .option('--list', 'print the scenarios')
    .option('--scenario <list>', 'numbers or names, separated by commas (default all)')
    .option('--broker <url>', 'mqtt://host:port of a broker that runs, instead of starting one')
    .option('--pid <pid>', 'process of that broker, to see its memory')
    .option('--start <kind>', 'which broker to start: dunlin, mosquitto or aedes', 'dunlin')
    .option('--compare [kinds]', 'one table of several brokers (default all that can be started)')
    .option('--long', 'in a comparison: those that take very long in full as well')
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
  const file = flags.json === '-' ? undefined : flags.json;
  const save = (found: Finding) => {
    if (file !== undefined) writeFileSync(file, jsonOf(found));
  };
  const found =
    flags.compare === undefined ? await runAll(chosen, flags) : await compare(chosen, flags, save);
  process.stdout.write(flags.json === '-' ? jsonOf(found) : `${found.text}\n`);
  save(found);
  return found.pass ? 0 : 1;
}

type Finding = Pick<Comparison, 'pass' | 'text'> & { readonly report: object };

function jsonOf({ pass, report }: Finding): string {
  return `${JSON.stringify({ pass, ...report }, undefined, 2)}\n`;
}

async function runAll(chosen: readonly Scenario[], flags: RunFlags): Promise<Finding> {
  const about = { startedAt: new Date().toISOString(), ...settingsOf(flags) };
  const results = await runChosen(chosen, flags);
  const pass = results.every((result) => result.pass);
  const report = { ...about, machine: machineInWords(), scenarios: results };
  return { pass, text: table(results), report };
}

function listOf(chosen: readonly Scenario[]): string {
  const width = Math.max(...scenarios.map(({ name }) => name.length));
  const lines = chosen.map(
    ({ number, name, about }) => `${String(number).padStart(2)}  ${name.padEnd(width)}  ${about}`,
  );
  return lines.join('\n');
}
