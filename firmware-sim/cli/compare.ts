import type { BrokerKindName } from '../broker/broker.js';
import { brokerCommand } from '../broker/commands.js';
import { comparisonTable } from '../report/comparison-table.js';
import type { ScenarioResult } from '../scenario/run.js';
import type { Scenario } from '../scenario/scenario.js';
import { KINDS, type RunFlags, runChosen } from './run-chosen.js';
import { oneOf } from './values.js';

/** One broker of a comparison. */
export interface Compared {
  readonly kind: BrokerKindName;
  readonly version: string;
  readonly setUp: string;
  readonly scenarios: ScenarioResult[];
}

export interface Comparison {
  /** Whether the first broker held what must hold. */
  readonly pass: boolean;
  readonly text: string;
  readonly report: { readonly brokers: readonly Compared[] };
}

/**
 * Each scenario against one broker after the other, so that a machine that changes changes for all
 * of them. Those that take very long are small for all.
 */
export async function compare(chosen: readonly Scenario[], flags: RunFlags): Promise<Comparison> {
  if (flags.broker !== undefined || flags.brokerConfig !== undefined) {
    throw new Error('--compare starts brokers as they come: no --broker, no --broker-config');
  }
  const brokers = kindsOf(flags.compare).map(comparedOf);
  for (const scenario of chosen) {
    const scale = scenario.isLong === true ? 'ci' : flags.scale;
    for (const broker of brokers) {
      const own = { ...flags, start: broker.kind, scale };
      broker.scenarios.push(...(await runChosen([scenario], own)));
    }
  }
  const small = new Set(chosen.filter(({ isLong }) => isLong === true).map(({ name }) => name));
  return {
    pass: brokers[0]!.scenarios.every(({ pass }) => pass),
    text: comparisonTable(brokers, flags.scale === 'full' ? small : new Set()),
    report: { brokers },
  };
}

function kindsOf(list: string | true | undefined): readonly BrokerKindName[] {
  if (typeof list !== 'string') return KINDS;
  return list.split(',').map((kind) => oneOf('--compare', kind.trim(), KINDS));
}

function comparedOf(kind: BrokerKindName): Compared {
  const { version, setUp } = brokerCommand(kind, { persistent: false, configFile: undefined });
  return { kind, version, setUp, scenarios: [] };
}
