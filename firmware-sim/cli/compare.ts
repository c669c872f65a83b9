import type { BrokerKindName } from '../broker/broker.js';
import { brokerCommand } from '../broker/commands.js';
import { type ComparisonReport, comparisonText } from '../report/comparison-table.js';
import type { ScenarioResult } from '../scenario/run.js';
import type { Scenario } from '../scenario/scenario.js';
import { machineInWords } from './machine.js';
import { KINDS, type RunFlags, runChosen, settingsOf } from './run-chosen.js';
import { oneOf } from './values.js';

/** One broker of a comparison. */
interface Compared {
  readonly kind: BrokerKindName;
  readonly version: string;
  readonly setUp: string;
  readonly scenarios: ScenarioResult[];
}

export interface Comparison {
  /** Whether the first broker held what must hold. */
  readonly pass: boolean;
  readonly text: string;
  readonly report: ComparisonReport;
}

/**
 * Each scenario against one broker after the other, so that a machine that changes changes for all
 * of them. Those that take very long are small for all, unless they are asked for. `save` is told
 * after each, so that a run that is broken off has not been for nothing.
 */
export async function compare(
  chosen: readonly Scenario[],
  flags: RunFlags,
  save: (comparison: Comparison) => void,
): Promise<Comparison> {
  if (flags.broker !== undefined || flags.brokerConfig !== undefined) {
    throw new Error('--compare starts brokers as they come: no --broker, no --broker-config');
  }
  const settings = settingsOf(flags);
  const startedMs = Date.now();
  const brokers = comparedOf(flags);
  const isSmall = ({ isLong }: Scenario) => isLong === true && flags.long !== true;
  const small = chosen.filter((one) => settings.scale === 'full' && isSmall(one));
  const soFar = (): Comparison => {
    const report: ComparisonReport = {
      startedAt: new Date(startedMs).toISOString(),
      minutes: (Date.now() - startedMs) / 60_000,
      ...settings,
      machine: machineInWords(),
      small: small.map(({ name }) => name),
      brokers,
    };
    const pass = brokers[0]!.scenarios.every((result) => result.pass);
    return { pass, text: comparisonText(report), report };
  };
  for (const scenario of chosen) {
    const scale = isSmall(scenario) ? 'ci' : flags.scale;
    for (const broker of brokers) {
      const own = { ...flags, start: broker.kind, scale };
      broker.scenarios.push(...(await runChosen([scenario], own)));
      save(soFar());
    }
  }
  return soFar();
}

/** Of those that are not named, the ones that are there. */
function comparedOf({ compare: list }: RunFlags): readonly Compared[] {
  if (typeof list === 'string') {
    return list.split(',').map((kind) => setUpOf(oneOf('--compare', kind.trim(), KINDS)));
  }
  return KINDS.flatMap((kind) => {
    try {
      return setUpOf(kind);
    } catch (error) {
      if (kind === KINDS[0]) throw error;
      process.stderr.write(`left out: ${error instanceof Error ? error.message : error}\n`);
      return [];
    }
  });
}

function setUpOf(kind: BrokerKindName): Compared {
  const { version, setUp } = brokerCommand(kind, { persistent: false, configFile: undefined });
  return { kind, version, setUp, scenarios: [] };
}
