/**
 * Loads a broker with a closed window of messages and tells how many it delivered, how long they
 * took, and what the broker spent on them. Exit code 1 when a message was lost, repeated or came
 * out of order.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { type IConnackPacket, parser } from 'mqtt-packet';
import { startBroker } from '../test/support/broker-process.js';
import { LatencyHistogram } from './latency-histogram.js';
import { type LoadOptions, loadOptions } from './load-options.js';
import { connectPacket, publishRing, subscribePacket, type Version } from './load-packets.js';
import { LoadPublisher } from './load-publisher.js';
import { LoadSubscriber } from './load-subscriber.js';
import { processorMicroseconds, residentBytes } from './process-usage.js';

const DRAIN_EVERY_MS = 20;
const DRAIN_MS_MAX = 10_000;

interface Target {
  readonly host: string;
  readonly port: number;
  readonly pid: number | undefined;
}

interface Fleet {
  readonly publishers: readonly LoadPublisher[];
  readonly subscribers: readonly LoadSubscriber[];
  readonly latency: LatencyHistogram;
}

export interface LoadResult {
  readonly deliveredPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Processor time of the broker per delivered message; undefined without --pid. */
  readonly brokerMicroseconds: number | undefined;
  readonly brokerResidentMiB: number | undefined;
  readonly generatorMicroseconds: number;
  readonly published: number;
  readonly delivered: number;
  readonly missing: number;
  readonly unexpected: number;
}

async function load(options: LoadOptions, target: Target): Promise<LoadResult> {
  const fleet = await assemble(options, target);
  for (const publisher of fleet.publishers) publisher.send();
  await delay(options.warmUpSeconds * 1000);
  fleet.latency.clear();
  const before = snapshot(fleet, target);
  await delay(options.seconds * 1000);
  const after = snapshot(fleet, target);
  const missing = await drain(fleet, options.fanOut);
  for (const client of [...fleet.publishers, ...fleet.subscribers]) client.destroy();
  const messages = Math.max(1, after.delivered - before.delivered);
  const seconds = (after.atMs - before.atMs) / 1000;
  return {
    deliveredPerSecond: Math.round((after.delivered - before.delivered) / seconds),
    p50Ms: fleet.latency.quantile(0.5),
    p99Ms: fleet.latency.quantile(0.99),
    brokerMicroseconds:
      target.pid === undefined ? undefined : (after.broker - before.broker) / messages,
    brokerResidentMiB: target.pid === undefined ? undefined : after.residentBytes / 2 ** 20,
    generatorMicroseconds: (after.own - before.own) / messages,
    published: sum(fleet.publishers, (publisher) => publisher.sent),
    delivered: sum(fleet.subscribers, (subscriber) => subscriber.delivered),
    missing,
    unexpected: sum(fleet.subscribers, (subscriber) => subscriber.unexpected),
  };
}

/** Connects everybody; the publishers come last, when all subscriptions are granted. */
async function assemble(options: LoadOptions, { host, port }: Target): Promise<Fleet> {
  const { pairs, fanIn, fanOut, qos, version, payloadBytes, window } = options;
  const latency = new LatencyHistogram();
  const publishers: LoadPublisher[] = [];
  const subscribers: LoadSubscriber[] = [];
  for (let pair = 0; pair < pairs; pair++) {
    const topic = `load/${pair}`;
    const readers = Array.from({ length: fanOut }, (_, index) => {
      const connect = connectPacket(`subscriber-${pair}-${index}`, version);
      const subscribe = subscribePacket(topic, qos, version);
      return new LoadSubscriber({ host, port, connect, subscribe, payloadBytes });
    });
    await Promise.all(readers.map((reader) => reader.subscribed));
    const writers = Array.from({ length: fanIn }, (_, publisher) => {
      const connect = connectPacket(`publisher-${pair}-${publisher}`, version);
      const slots = window;
      const ring = publishRing({ topic, qos, version, publisher, payloadBytes, slots });
      const subscriberCount = fanOut;
      return new LoadPublisher({
        host,
        port,
        connect,
        ring,
        qos,
        window,
        subscribers: subscriberCount,
        latency,
      });
    });
    for (const reader of readers) reader.listenTo(writers);
    subscribers.push(...readers);
    publishers.push(...writers);
  }
  for (const publisher of publishers) {
    publisher.limitWindow(receiveMaximum(await publisher.accepted, version));
  }
  return { publishers, subscribers, latency };
}

function receiveMaximum(connack: Buffer, version: Version): number {
  let granted = 65_535;
  const packets = parser({ protocolVersion: version });
  packets.on('packet', (packet) => {
    const { reasonCode, returnCode, properties } = packet as IConnackPacket;
    if ((reasonCode ?? returnCode ?? 0) !== 0) {
      throw new Error(`the broker refused a publisher: ${reasonCode ?? returnCode}`);
    }
    granted = properties?.receiveMaximum ?? granted;
  });
  packets.parse(connack);
  return granted;
}

/** Waits until nothing is under way and returns how many deliveries never came. */
async function drain({ publishers, subscribers }: Fleet, fanOut: number): Promise<number> {
  for (const publisher of publishers) publisher.stopped = true;
  const expected = sum(publishers, (publisher) => publisher.sent) * fanOut;
  const delivered = () => sum(subscribers, (subscriber) => subscriber.delivered);
  const deadline = performance.now() + DRAIN_MS_MAX;
  while (delivered() < expected && performance.now() < deadline) await delay(DRAIN_EVERY_MS);
  return expected - delivered();
}

function snapshot({ subscribers }: Fleet, { pid }: Target) {
  const usage = process.cpuUsage();
  return {
    atMs: performance.now(),
    delivered: sum(subscribers, (subscriber) => subscriber.delivered),
    own: usage.user + usage.system,
    broker: pid === undefined ? 0 : processorMicroseconds(pid),
    residentBytes: pid === undefined ? 0 : residentBytes(pid),
  };
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}

function print(options: LoadOptions, result: LoadResult): void {
  if (options.json) {
    console.log(JSON.stringify({ ...options, ...result }));
    return;
  }
  const rows: [string, string][] = [
    ['delivered per second', result.deliveredPerSecond.toLocaleString('en')],
    ['latency p50 / p99', `${result.p50Ms.toFixed(2)} ms / ${result.p99Ms.toFixed(2)} ms`],
    ['generator', `${result.generatorMicroseconds.toFixed(2)} us per message`],
    ['published / delivered', `${result.published} / ${result.delivered}`],
    ['missing / unexpected', `${result.missing} / ${result.unexpected}`],
  ];
  if (result.brokerMicroseconds !== undefined && result.brokerResidentMiB !== undefined) {
    rows.splice(2, 0, ['broker', `${result.brokerMicroseconds.toFixed(2)} us per message`]);
    rows.splice(3, 0, ['broker resident', `${result.brokerResidentMiB.toFixed(1)} MiB`]);
  }
  for (const [name, value] of rows) console.log(`${name.padEnd(24)}${value}`);
}

async function main(): Promise<void> {
  const options = loadOptions(process.argv.slice(2));
  const started = options.url === undefined ? await startBroker() : undefined;
  const url = options.url ?? new URL(started?.url ?? '');
  const target = {
    host: url.hostname,
    port: Number(url.port === '' ? 1883 : url.port),
    pid: options.pid ?? started?.pid,
  };
  try {
    const result = await load(options, target);
    print(options, result);
    process.exitCode = result.missing === 0 && result.unexpected === 0 ? 0 : 1;
  } finally {
    await started?.stop();
  }
}

await main();
