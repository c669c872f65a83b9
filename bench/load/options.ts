import { parseArgs } from 'node:util';
import { type BrokerName, brokerNames } from '../brokers/names.js';
import { PAYLOAD_BYTES_MIN, type QoS, type Version } from './packets.js';
import { plainShape, type Shape } from './shape.js';

export interface LoadOptions {
  /** A named case; undefined for the shape of the flags. */
  readonly caseName: string | undefined;
  readonly shape: Shape;
  readonly broker: BrokerName;
  /** The broker to load; without it one is started. */
  readonly url: URL | undefined;
  readonly webSocketPort: number | undefined;
  /** The broker's process, for its processor time and memory. */
  readonly pid: number | undefined;
  readonly seconds: number;
  readonly warmUpSeconds: number;
  /** Folder of a built Dunlin. */
  readonly dunlin: string | undefined;
  readonly store: boolean;
  readonly cpuProfile: string | undefined;
  readonly json: boolean;
  readonly list: boolean;
}

export const usage = `npm run bench -- [CASE] [options]
  CASE                     a named case (--list shows them); else the shape below
  --pairs N                independent topics (100)
  --fan-out N              subscribers per topic (1)
  --fan-in N               publishers per topic (1)
  --qos 0|1|2              (0)
  --payload BYTES          (64)
  --window N               messages under way per publisher (100)
  --rate N                 messages per second on a schedule, in place of the window
  --version 4|5            (4 is 3.1.1)
  --transport tcp|websocket
  --properties             four 5.0 properties in each PUBLISH
  --topic-alias            Topic Aliases both ways
  --persistent             subscribers with sessions that are kept
  --subscriptions N        so many, in place of one per subscriber; --wildcards
  --published-topics N     of each publisher, where there are many subscriptions (all)
  --churn N                so many subscribed or unsubscribed per second
  --seconds N              (5), after --warm-up seconds (1)
  --broker NAME            started when there is no --url: dunlin, mosquitto, mosquitto-nodelay, aedes,
                           aedes-level, floor
  --store                  with its store, as named cases that need it have it anyway
  --dunlin FOLDER          a checkout with a built Dunlin, in place of this one
  --cpu-profile FOLDER     profiles the started broker, if it runs on Node
  --url mqtt://host:port   a broker that runs already; --pid PID, --websocket-port PORT
  --json                   one line of JSON in place of the table`;

const text = { type: 'string' } as const;
const flag = { type: 'boolean', default: false } as const;

export function loadOptions(argv: readonly string[]): LoadOptions {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      pairs: text,
      'fan-out': text,
      'fan-in': text,
      qos: text,
      payload: text,
      window: text,
      rate: text,
      version: text,
      transport: text,
      properties: flag,
      'topic-alias': flag,
      persistent: flag,
      subscriptions: text,
      wildcards: flag,
      'published-topics': text,
      churn: text,
      seconds: text,
      'warm-up': text,
      broker: { ...text, default: 'dunlin' },
      store: flag,
      dunlin: text,
      'cpu-profile': text,
      url: text,
      pid: text,
      'websocket-port': text,
      json: flag,
      list: flag,
    },
  });
  const number = (name: string, least: number, most: number, otherwise: number): number =>
    within(name, (values as Record<string, unknown>)[name] as string, least, most) ?? otherwise;
  if (positionals.length > 1) throw new Error(`one case at a time\n${usage}`);
  return {
    caseName: positionals[0],
    shape: {
      pairs: number('pairs', 1, 10_000, plainShape.pairs),
      fanOut: number('fan-out', 1, 10_000, plainShape.fanOut),
      fanIn: number('fan-in', 1, 65_535, plainShape.fanIn),
      qos: number('qos', 0, 2, plainShape.qos) as QoS,
      payloadBytes: number('payload', PAYLOAD_BYTES_MIN, 2 ** 23, plainShape.payloadBytes),
      window: number('window', 1, 60_000, plainShape.window),
      rate: number('rate', 1, 10_000_000, plainShape.rate),
      version: number('version', 4, 5, plainShape.version) as Version,
      transport: oneOf('transport', values.transport ?? 'tcp', ['tcp', 'websocket']),
      properties: values.properties,
      topicAlias: values['topic-alias'],
      persistent: values.persistent,
      subscriptions: number('subscriptions', 1, 10_000_000, plainShape.subscriptions),
      wildcards: values.wildcards,
      publishedTopics: number('published-topics', 1, 10_000, plainShape.publishedTopics),
      churn: number('churn', 1, 100_000, plainShape.churn),
    },
    broker: oneOf('broker', values.broker, brokerNames),
    url: values.url === undefined ? undefined : new URL(values.url),
    webSocketPort: within('websocket-port', values['websocket-port'], 1, 65_535),
    pid: within('pid', values.pid, 1, 2 ** 31),
    seconds: number('seconds', 1, 3600, 5),
    warmUpSeconds: number('warm-up', 0, 60, 1),
    dunlin: values.dunlin,
    store: values.store,
    cpuProfile: values['cpu-profile'],
    json: values.json,
    list: values.list,
  };
}

export function within(
  name: string,
  given: string | undefined,
  least: number,
  most: number,
): number | undefined {
  if (given === undefined) return undefined;
  const value = Number(given);
  if (given.trim() !== '' && Number.isInteger(value) && value >= least && value <= most) {
    return value;
  }
  throw new Error(`--${name} wants a whole number from ${least} to ${most}, not ${given}`);
}

export function oneOf<T extends string>(name: string, given: string, allowed: readonly T[]): T {
  const found = allowed.find((value) => value === given);
  if (found !== undefined) return found;
  throw new Error(`--${name} wants one of ${allowed.join(', ')}, not ${given}`);
}
