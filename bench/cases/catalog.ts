import type { BrokerName } from '../brokers/names.js';
import type { CaseResult, Duration, Target } from '../load/result.js';
import { plainShape, type Shape } from '../load/shape.js';
import { runTraffic } from '../load/traffic.js';
import { runConnectStorm } from './connect-storm.js';
import { growthStages, runGrowth } from './growth.js';
import { runIdleConnections, runOfflineSessions } from './memory.js';
import { runOfflineBacklog } from './offline-backlog.js';
import { runRetainedFlood } from './retained-flood.js';

export interface BenchCase {
  readonly name: string;
  readonly about: string;
  /** Undefined for cases that are no plain traffic. */
  readonly shape: Shape | undefined;
  /** Sessions, or messages for absent clients, are what the case is about. */
  readonly needsStore: boolean;
  /** Who takes part: some cannot, and for some it would take hours. */
  readonly brokers: readonly BrokerName[];
  /** Part of the three minutes' run. */
  readonly isQuick: boolean;
  /** Memory is much the same each time, and takes minutes to settle. */
  readonly roundsMax: number;
  run(target: Target, duration: Duration): Promise<CaseResult>;
}

const REAL_BROKERS: readonly BrokerName[] = ['dunlin', 'mosquitto', 'mosquitto-nodelay', 'aedes'];
const TCP_BROKERS: readonly BrokerName[] = [...REAL_BROKERS, 'floor'];
const STORING_BROKERS: readonly BrokerName[] = [...REAL_BROKERS, 'aedes-level'];
const STRONG_BROKERS: readonly BrokerName[] = ['dunlin', 'mosquitto'];
const MEMORY_BROKERS: readonly BrokerName[] = [...STRONG_BROKERS, 'aedes'];

const CONNECTIONS = 10_000;
const IDLE_CONNECTIONS = 5000;
const OFFLINE_SESSIONS = 50_000;
const RETAINED_MESSAGES = 10_000;

interface Extras {
  readonly brokers?: readonly BrokerName[];
  readonly needsStore?: boolean;
  readonly isQuick?: boolean;
  readonly roundsMax?: number;
}

function traffic(name: string, about: string, own: Partial<Shape>, extras: Extras = {}): BenchCase {
  const shape = { ...plainShape, ...own };
  // Aedes speaks no 5.0, and the floor neither WebSocket nor aliases.
  const able = (broker: BrokerName): boolean =>
    !(shape.version === 5 && broker.startsWith('aedes')) &&
    !(broker === 'floor' && (shape.transport === 'websocket' || shape.topicAlias));
  return {
    name,
    about,
    shape,
    needsStore: extras.needsStore ?? false,
    brokers: (extras.brokers ?? TCP_BROKERS).filter(able),
    isQuick: extras.isQuick ?? false,
    roundsMax: extras.roundsMax ?? Number.POSITIVE_INFINITY,
    run: (target, duration) => runTraffic(shape, target, duration),
  };
}

function special(
  name: string,
  about: string,
  run: BenchCase['run'],
  extras: Extras = {},
): BenchCase {
  return {
    name,
    about,
    shape: undefined,
    needsStore: extras.needsStore ?? false,
    brokers: extras.brokers ?? REAL_BROKERS,
    isQuick: extras.isQuick ?? false,
    roundsMax: extras.roundsMax ?? Number.POSITIVE_INFINITY,
    run,
  };
}

const quick: Extras = { isQuick: true };
const hundredOut = { pairs: 1, fanOut: 100, window: 50 };
const thousandOut = { pairs: 1, fanOut: 1000, window: 20 };
const hundredIn = { pairs: 1, fanIn: 100, window: 50 };
/** Several in flight for QoS 1 and 2: no more than Dunlin's default for 3.1.1 clients. */
const several = { window: 20 };
const manyInFlight: readonly BenchCase[] = [
  traffic('pairs-qos0', '100 publishers, each to its own subscriber', {}, quick),
  traffic('pairs-qos0-window-10', 'the same with 10 messages under way each', { window: 10 }),
  traffic('pairs-qos1', '100 pairs, QoS 1', { qos: 1, ...several }, quick),
  traffic('pairs-qos2', '100 pairs, QoS 2', { qos: 2, ...several }, quick),
  traffic('fan-out-100', '1 publisher to 100 subscribers', hundredOut, quick),
  traffic('fan-out-100-qos1', 'the same with QoS 1', { ...hundredOut, qos: 1, ...several }),
  traffic('fan-out-100-qos2', 'the same with QoS 2', { ...hundredOut, qos: 2, ...several }),
  traffic('fan-out-1000', '1 publisher to 1,000 subscribers', thousandOut),
  traffic('fan-in-100', '100 publishers to 1 subscriber', hundredIn, quick),
  traffic('fan-in-100-qos1', 'the same with QoS 1', { ...hundredIn, qos: 1, window: 5 }),
];

const versionFive: readonly BenchCase[] = [
  traffic('v5-pairs-qos0', 'pairs-qos0 with MQTT 5.0', { version: 5 }, quick),
  traffic('v5-pairs-qos1', 'pairs-qos1 with MQTT 5.0', { version: 5, qos: 1, ...several }),
  traffic('v5-pairs-qos2', 'pairs-qos2 with MQTT 5.0', { version: 5, qos: 2, ...several }),
  traffic('v5-fan-out-100', 'fan-out-100 with MQTT 5.0', { version: 5, ...hundredOut }),
  traffic('v5-fan-in-100', 'fan-in-100 with MQTT 5.0', { version: 5, ...hundredIn }),
  traffic('v5-properties', 'v5-pairs-qos0 with four properties', { version: 5, properties: true }),
  traffic('v5-topic-alias', 'v5-pairs-qos0 with Topic Aliases', { version: 5, topicAlias: true }),
];

const oneAtATime: readonly BenchCase[] = [
  traffic('pairs-window-1', '100 pairs, one message under way each', { window: 1 }, quick),
  traffic('fan-out-1000-window-1', '1 to 1,000, one message under way', {
    ...thousandOut,
    window: 1,
  }),
  traffic('open-loop-qos0', '20,000 messages per second on a schedule, 100 pairs', {
    rate: 20_000,
  }),
  traffic('open-loop-qos1', 'the same with QoS 1', { rate: 20_000, qos: 1 }),
];

const payloads: readonly BenchCase[] = [
  traffic('payload-16', 'pairs-qos0 with 16 B', { payloadBytes: 16 }),
  traffic('payload-256', 'pairs-qos0 with 256 B', { payloadBytes: 256 }),
  traffic('payload-1k', 'pairs-qos0 with 1 KiB', { payloadBytes: 1024, window: 50 }),
  traffic('payload-4k', 'pairs-qos0 with 4 KiB', { payloadBytes: 4096, window: 50 }, quick),
  traffic('payload-16k', '20 pairs with 16 KiB', { pairs: 20, payloadBytes: 16_384, window: 20 }),
  traffic('payload-256k', '10 pairs with 256 KiB', { pairs: 10, payloadBytes: 262_144, window: 2 }),
  traffic(
    'websocket',
    'pairs-qos0 over WebSocket',
    { transport: 'websocket' },
    { brokers: REAL_BROKERS },
  ),
];

const sessions: readonly BenchCase[] = [
  traffic(
    'online-clean',
    'pairs-qos1 with the store in use',
    { qos: 1, ...several },
    { needsStore: true, brokers: STORING_BROKERS },
  ),
  traffic(
    'online-persistent',
    'the same, subscribers with sessions that are kept',
    { qos: 1, ...several, persistent: true },
    { needsStore: true, brokers: STORING_BROKERS },
  ),
  special('offline-qos1', 'QoS 1 to 50 persistent sessions that are away', backlog('enqueue'), {
    needsStore: true,
    brokers: STORING_BROKERS,
    isQuick: true,
  }),
  special('drain-qos1', 'the 50 clients come back and take their messages', backlog('drain'), {
    needsStore: true,
    brokers: STORING_BROKERS,
  }),
  special(
    'retained-flood',
    `a new subscriber takes ${RETAINED_MESSAGES} retained messages`,
    (target, duration) => runRetainedFlood(RETAINED_MESSAGES, target, duration),
  ),
];

const many: readonly BenchCase[] = [
  special('connect-storm', `${CONNECTIONS} clients connect in the same moment`, (target) =>
    runConnectStorm(CONNECTIONS, 4, target),
  ),
  special(
    'idle-connections',
    `the first ${IDLE_CONNECTIONS} connections, one subscription each, and once more`,
    (target) => runIdleConnections(IDLE_CONNECTIONS, target),
  ),
  special(
    'offline-sessions',
    `${OFFLINE_SESSIONS} sessions that are away, one subscription each`,
    (target) => runOfflineSessions(OFFLINE_SESSIONS, target),
    { needsStore: true, brokers: [...MEMORY_BROKERS, 'aedes-level'], roundsMax: 1 },
  ),
  special(
    'growth-10m',
    'what memory grows by over 10 million QoS 0 and 2 million QoS 1 messages',
    (target) => runGrowth(growthStages(10_000_000, 2_000_000), target),
    { needsStore: true, brokers: STRONG_BROKERS, roundsMax: 1 },
  ),
  ...[1000, 100_000, 1_000_000].flatMap((subscriptions) => [
    subscribed(subscriptions, false, {}),
    subscribed(subscriptions, true, {}),
  ]),
  ...[1000, 1_000_000].flatMap((subscriptions) => [
    subscribed(subscriptions, false, { churn: 1000 }),
    subscribed(subscriptions, true, { churn: 1000 }),
  ]),
  subscribed(1_000_000, false, { spread: true }),
  subscribed(1_000_000, true, { spread: true }),
];

function backlog(measured: 'enqueue' | 'drain'): BenchCase['run'] {
  const options = { sessions: 50, payloadBytes: 64, window: 100, measured };
  return (target, duration) => runOfflineBacklog(options, target, duration);
}

interface SubscribedOptions {
  readonly churn?: number;
  /** Half a million topics are published to in turn, and not a thousand. */
  readonly spread?: boolean;
}

function subscribed(
  subscriptions: number,
  wildcards: boolean,
  { churn = 0, spread = false }: SubscribedOptions,
): BenchCase {
  const size = subscriptions < 1_000_000 ? `${subscriptions / 1000}k` : '1m';
  const kind = wildcards ? 'wildcard' : 'exact';
  const topics = spread ? 'half a million' : '1,000';
  return traffic(
    `subscriptions-${size}-${kind}${churn > 0 ? '-churn' : ''}${spread ? '-spread' : ''}`,
    `100 pairs, ${topics} topics among ${size} ${kind} subscriptions` +
      `${churn > 0 ? `, ${churn} subscribed or unsubscribed per second` : ''}`,
    { subscriptions, wildcards, churn, publishedTopics: spread ? 0 : 10, window: 20 },
    { brokers: STRONG_BROKERS },
  );
}

export const cases: readonly BenchCase[] = [
  ...manyInFlight,
  ...versionFive,
  ...oneAtATime,
  ...payloads,
  ...sessions,
  ...many,
];

/** Names may end in `*`. Throws when one matches nothing. */
export function casesNamed(names: readonly string[]): BenchCase[] {
  const chosen = names.flatMap((name) => {
    const found = cases.filter((one) =>
      name.endsWith('*') ? one.name.startsWith(name.slice(0, -1)) : one.name === name,
    );
    if (found.length === 0) throw new Error(`there is no case ${name}: see --list`);
    return found;
  });
  return cases.filter((one) => chosen.includes(one));
}
