import type { BrokerName } from '../brokers/names.js';
import type { CaseResult } from '../load/result.js';
import { type Comparison, costOf, ratio } from './comparison.js';

export interface GoalResult {
  readonly goal: string;
  readonly caseName: string;
  readonly found: number;
  readonly isMet: boolean;
}

interface Goal {
  readonly about: string;
  readonly cases: readonly string[];
  /** Undefined where the case was not run. */
  readonly measure: (results: Results, caseName: string) => number | undefined;
  readonly isMet: (found: number) => boolean;
}

/** Finds the medians of a case and a broker. */
type Results = (caseName: string, broker: BrokerName) => CaseResult | undefined;

const QOS_0 = [
  'pairs-qos0',
  'fan-out-100',
  'fan-out-1000',
  'fan-in-100',
  'v5-pairs-qos0',
  'v5-fan-out-100',
  'v5-fan-in-100',
];
const QOS_1_AND_2 = [
  'pairs-qos1',
  'pairs-qos2',
  'fan-out-100-qos1',
  'fan-out-100-qos2',
  'fan-in-100-qos1',
  'v5-pairs-qos1',
  'v5-pairs-qos2',
];
const ONE_AT_A_TIME = ['pairs-window-1', 'fan-out-1000-window-1'];
const CHURNED = [
  'subscriptions-1k-exact',
  'subscriptions-1k-wildcard',
  'subscriptions-1m-exact',
  'subscriptions-1m-wildcard',
];
const MEBIBYTES_IDLE_MAX = 60;
const BYTES_PER_CONNECTION_MAX = 6 * 1024;
const BYTES_PER_SESSION_MAX = 1024;
/** What the samples scatter by; a leak of one byte a message would be twice as much. */
const MEBIBYTES_GROWN_MAX = 5;

const goals: readonly Goal[] = [
  atLeast('times cheaper than Mosquitto, QoS 0', 10, QOS_0, timesCheaper),
  atLeast('times cheaper than Mosquitto, QoS 1 and 2', 8, QOS_1_AND_2, timesCheaper),
  atLeast('times cheaper than Mosquitto, 4 KiB', 5, ['payload-4k'], timesCheaper),
  atMost('times the floor', 4, [...QOS_0, ...QOS_1_AND_2], (results, name) =>
    ratio(costOf(results(name, 'dunlin')), costOf(results(name, 'floor'))),
  ),
  atMost('of Mosquitto’s processor time', 1, ONE_AT_A_TIME, (results, name) =>
    ratio(costOf(results(name, 'dunlin')), least(mosquittos(results, name).map(costOf))),
  ),
  atMost('of Mosquitto’s p50', 1, ONE_AT_A_TIME, (results, name) =>
    ratio(
      results(name, 'dunlin')?.p50Ms,
      least(mosquittos(results, name).map((result) => result?.p50Ms)),
    ),
  ),
  atLeast('of Mosquitto’s rate, which keeps it in memory', 1, ['offline-qos1'], (results, name) =>
    ratio(
      results(name, 'dunlin')?.perSecond,
      greatest(mosquittos(results, name).map((result) => result?.perSecond)),
    ),
  ),
  atMost('times a clean subscriber', 1.5, ['online-persistent'], (results, name) =>
    ratio(costOf(results(name, 'dunlin')), costOf(results('online-clean', 'dunlin'))),
  ),
  atMost('B per connection', BYTES_PER_CONNECTION_MAX, ['idle-connections'], own('bytesEach')),
  atMost('MiB without clients', MEBIBYTES_IDLE_MAX, ['idle-connections'], own('idleMiB')),
  atMost('B per session', BYTES_PER_SESSION_MAX, ['offline-sessions'], own('bytesEach')),
  atMost(
    'MiB grown over 10 million messages',
    MEBIBYTES_GROWN_MAX,
    ['growth-10m'],
    own('grownMiB'),
  ),
  atMost('times 1k subscriptions', 2, CHURNED.slice(2), (results, name) =>
    ratio(costOf(results(name, 'dunlin')), costOf(results(name.replace('1m', '1k'), 'dunlin'))),
  ),
  atMost('times no churn', 1.1, CHURNED, (results, name) =>
    ratio(costOf(results(`${name}-churn`, 'dunlin')), costOf(results(name, 'dunlin'))),
  ),
  atMost('failed storms', 0, ['connect-storm'], (results, name) => {
    const result = results(name, 'dunlin');
    if (result === undefined) return undefined;
    return result.failure === undefined ? 0 : 1;
  }),
];

/** Each goal with what was found for each of its cases that ran. */
export function judgeGoals(comparisons: readonly Comparison[]): GoalResult[] {
  const results: Results = (caseName, broker) =>
    comparisons.find(({ benchCase }) => benchCase.name === caseName)?.result(broker);
  return goals.flatMap(({ about, cases, measure, isMet }) =>
    cases.flatMap((caseName) => {
      const found = measure(results, caseName);
      if (found === undefined) return [];
      return [{ goal: about, caseName, found, isMet: isMet(found) }];
    }),
  );
}

function timesCheaper(results: Results, name: string): number | undefined {
  return ratio(least(mosquittos(results, name).map(costOf)), costOf(results(name, 'dunlin')));
}

/** With both of its settings: each goal is against the one that is better at the case. */
function mosquittos(results: Results, name: string): (CaseResult | undefined)[] {
  return [results(name, 'mosquitto'), results(name, 'mosquitto-nodelay')];
}

function least(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}

function greatest(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : Math.max(...known);
}

function own(field: 'bytesEach' | 'idleMiB' | 'grownMiB'): Goal['measure'] {
  return (results, name) => results(name, 'dunlin')?.[field];
}

function atLeast(
  what: string,
  least: number,
  cases: readonly string[],
  measure: Goal['measure'],
): Goal {
  const isMet = (found: number): boolean => found >= least;
  return { about: `at least ${least} ${what}`, cases, measure, isMet };
}

function atMost(
  what: string,
  most: number,
  cases: readonly string[],
  measure: Goal['measure'],
): Goal {
  return { about: `at most ${most} ${what}`, cases, measure, isMet: (found) => found <= most };
}
