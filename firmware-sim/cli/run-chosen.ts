import type { BrokerKindName, BrokerUnderTest } from '../broker/broker.js';
import { BrokerProcess } from '../broker/broker-process.js';
import { brokerCommand } from '../broker/commands.js';
import { externalBroker } from '../broker/external.js';
import { runScenarios, type ScenarioResult } from '../scenario/run.js';
import type { Scenario } from '../scenario/scenario.js';
import type { Scale } from '../scenario/world.js';
import { canHaveSmallWindows, runInSmallWindows } from './small-windows.js';
import { oneOf, wholeNumber } from './values.js';

export interface RunFlags {
  readonly list?: boolean;
  readonly scenario?: string;
  readonly broker?: string;
  readonly pid?: string;
  readonly start: string;
  readonly compare?: string | true;
  readonly long?: boolean;
  readonly brokerConfig?: string;
  readonly seed: string;
  readonly scale: string;
  readonly byteSplit?: boolean;
  readonly json?: string;
  readonly quiet?: boolean;
  readonly inSmallWindows?: boolean;
}

export const KINDS: readonly BrokerKindName[] = ['dunlin', 'mosquitto', 'aedes'];
const SCALES: readonly Scale[] = ['ci', 'full'];

/** Against the one broker that the flags name; throws for a wrong flag. */
export function runChosen(chosen: readonly Scenario[], flags: RunFlags): Promise<ScenarioResult[]> {
  const start = oneOf('--start', flags.start, KINDS);
  const external = flags.broker;
  const pid = flags.pid === undefined ? undefined : wholeNumber('--pid', flags.pid);
  return runScenarios({
    scenarios: external === undefined ? chosen : chosen.filter((one) => !one.needsOwnBroker),
    ...settingsOf(flags),
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
}

/** What a report says of how it was made. */
export function settingsOf({ seed, scale, byteSplit = false }: RunFlags): {
  readonly seed: number;
  readonly scale: Scale;
  readonly byteSplit: boolean;
} {
  return { seed: wholeNumber('--seed', seed), scale: oneOf('--scale', scale, SCALES), byteSplit };
}

function startFor(
  scenario: Scenario,
  kind: BrokerKindName,
  configFile: string | undefined,
): Promise<BrokerUnderTest> {
  const persistent = scenario.keepsData ?? scenario.needsOwnBroker ?? false;
  return BrokerProcess.start(brokerCommand(kind, { persistent, configFile }));
}

/** In small windows where it needs them, may have them, and the broker comes along. */
function elsewhere(
  scenario: Scenario,
  flags: RunFlags,
): Promise<ScenarioResult | undefined> | undefined {
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

function clockNow(): string {
  return new Date().toTimeString().slice(0, 8);
}
