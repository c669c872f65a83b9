import { parseArgs } from 'node:util';
import { PAYLOAD_BYTES_MIN, type QoS, type Version } from './load-packets.js';

export interface LoadOptions {
  /** The broker; without it Dunlin is started. */
  readonly url: URL | undefined;
  /** The broker's process, for its processor time and memory. */
  readonly pid: number | undefined;
  /** Independent topics. */
  readonly pairs: number;
  /** Subscribers per topic. */
  readonly fanOut: number;
  /** Publishers per topic. */
  readonly fanIn: number;
  readonly qos: QoS;
  readonly payloadBytes: number;
  /** Messages under way per publisher. */
  readonly window: number;
  readonly seconds: number;
  readonly warmUpSeconds: number;
  readonly version: Version;
  readonly json: boolean;
}

export const usage = `npm run bench -- [options]
  --url mqtt://host:port   the broker to load; without it Dunlin is started
  --pid PID                the broker's process: prints its processor time and memory
  --pairs N                independent topics (10)
  --fan-out N              subscribers per topic (1)
  --fan-in N               publishers per topic (1)
  --qos 0|1|2              (0)
  --payload BYTES          (64)
  --window N               messages under way per publisher (100)
  --seconds N              (5), after --warm-up seconds (1)
  --version 4|5            (4 is 3.1.1)
  --json                   one line of JSON in place of the table`;

export function loadOptions(argv: readonly string[]): LoadOptions {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      url: { type: 'string' },
      pid: { type: 'string' },
      pairs: { type: 'string', default: '10' },
      'fan-out': { type: 'string', default: '1' },
      'fan-in': { type: 'string', default: '1' },
      qos: { type: 'string', default: '0' },
      payload: { type: 'string', default: '64' },
      window: { type: 'string', default: '100' },
      seconds: { type: 'string', default: '5' },
      'warm-up': { type: 'string', default: '1' },
      version: { type: 'string', default: '4' },
      json: { type: 'boolean', default: false },
    },
  });
  return {
    url: values.url === undefined ? undefined : new URL(values.url),
    pid: values.pid === undefined ? undefined : within('pid', values.pid, 1, 2 ** 31),
    pairs: within('pairs', values.pairs, 1, 10_000),
    fanOut: within('fan-out', values['fan-out'], 1, 10_000),
    fanIn: within('fan-in', values['fan-in'], 1, 65_535),
    qos: within('qos', values.qos, 0, 2) as QoS,
    payloadBytes: within('payload', values.payload, PAYLOAD_BYTES_MIN, 8 * 1024 * 1024),
    window: within('window', values.window, 1, 65_535),
    seconds: within('seconds', values.seconds, 1, 3600),
    warmUpSeconds: within('warm-up', values['warm-up'], 0, 60),
    version: within('version', values.version, 4, 5) as Version,
    json: values.json,
  };
}

function within(name: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new Error(`--${name} wants a whole number from ${least} to ${most}, not ${text}\n${usage}`);
}
