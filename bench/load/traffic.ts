import { setTimeout as delay } from 'node:timers/promises';
import { Churn } from './churn.js';
import type { Address } from './connection.js';
import { inGroups, sum } from './in-groups.js';
import { LatencyHistogram } from './latency-histogram.js';
import { Meter } from './meter.js';
import { connectPacket, grantedReceiveMaximum, publishRing, subscribePackets } from './packets.js';
import { processorMicroseconds } from './process-usage.js';
import { LoadPublisher } from './publisher.js';
import type { CaseResult, Duration, Target } from './result.js';
import { type Shape, type Topics, topicsOf } from './shape.js';
import { LoadSubscriber } from './subscriber.js';

const DRAIN_EVERY_MS = 20;
const DRAIN_MS_MAX = 60_000;
/** Slots of a ring that holds different topics. */
const TOPIC_SLOTS_MAX = 5000;
/** Messages that may be late in an open loop before the generator itself holds back. */
const OPEN_LOOP_WINDOW = 10_000;
const TOPIC_ALIASES = 16;
const WARM_UP_EVERY_MS = 20;
const WARM_UP_WORK_SHARE = 0.5;
const WARM_UP_TIMES_MAX = 4;

interface Fleet {
  readonly publishers: readonly LoadPublisher[];
  readonly subscribers: readonly LoadSubscriber[];
  readonly latency: LatencyHistogram;
  readonly churn: Churn | undefined;
}

/**
 * Loads the broker with one shape of traffic, and checks every message. It is measured for as long
 * as `during` takes.
 */
export async function runTraffic(
  shape: Shape,
  target: Target,
  duration: Duration,
  during: (delivered: () => number) => Promise<void> = () => delay(duration.seconds * 1000),
): Promise<CaseResult> {
  const fleet = await assemble(shape, target);
  const delivered = () => sum(fleet.subscribers, (subscriber) => subscriber.delivered);
  begin(fleet, shape);
  await warmUp(target, duration.warmUpSeconds);
  fleet.latency.clear();
  const meter = new Meter(target, delivered);
  await during(delivered);
  const result = meter.result();
  const { latency } = fleet;
  const [p50Ms, p99Ms, p999Ms] = [0.5, 0.99, 0.999].map((share) => latency.quantile(share));
  const missing = await drain(fleet, shape);
  const unexpected = sum(fleet.subscribers, (subscriber) => subscriber.unexpected);
  const failure = failureOf(fleet, missing, unexpected, result.perSecond ?? 0);
  disband(fleet);
  const published = sum(fleet.publishers, (publisher) => publisher.sent);
  const counts = { published, delivered: delivered(), missing, unexpected };
  return { failure, ...result, p50Ms, p99Ms, p999Ms, ...counts };
}

/**
 * Until the broker has worked so long, or the time is over several times: on a busy machine the
 * clock says little about what its compiler has seen.
 */
async function warmUp({ pid }: Target, seconds: number): Promise<void> {
  const work = () => (pid === undefined ? 0 : processorMicroseconds(pid));
  const beganMs = performance.now();
  const beganWork = work();
  const passedMs = () => performance.now() - beganMs;
  while (passedMs() < seconds * 1000) await delay(WARM_UP_EVERY_MS);
  if (pid === undefined) return;
  const wanted = seconds * WARM_UP_WORK_SHARE * 1e6;
  while (work() - beganWork < wanted && passedMs() < seconds * WARM_UP_TIMES_MAX * 1000) {
    await delay(WARM_UP_EVERY_MS);
  }
}

/** Connects everybody; the publishers come last, when all subscriptions are granted. */
async function assemble(shape: Shape, target: Target): Promise<Fleet> {
  const port = shape.transport === 'tcp' ? target.port : target.webSocketPort;
  if (port === undefined) throw new Error('the broker has no WebSocket listener');
  const address = { host: target.host, port, transport: shape.transport };
  const latency = new LatencyHistogram();
  const publishers: LoadPublisher[] = [];
  const subscribers: LoadSubscriber[] = [];
  for (let pair = 0; pair < shape.pairs; pair++) {
    const topics = topicsOf(shape, pair);
    const readers = await inGroups(shape.fanOut, (index) => {
      const reader = subscriberOf(shape, address, topics, `${pair}-${index}`);
      return reader.subscribed.then(() => reader);
    });
    const writers = await inGroups(shape.fanIn, async (index) => {
      const writer = publisherOf(shape, address, topics, pair, index, latency);
      writer.limitWindow(grantedReceiveMaximum(await writer.accepted, shape.version));
      return writer;
    });
    for (const reader of readers) reader.listenTo(writers);
    subscribers.push(...readers);
    publishers.push(...writers);
  }
  const churn = shape.churn > 0 ? new Churn(address, shape.version, shape.churn) : undefined;
  return { publishers, subscribers, latency, churn };
}

function subscriberOf(
  shape: Shape,
  address: Address,
  topics: Topics,
  name: string,
): LoadSubscriber {
  const { version, qos, payloadBytes } = shape;
  const connect = connectPacket({
    clientIdentifier: `subscriber-${name}`,
    version,
    isPersistent: shape.persistent,
    topicAliasMaximum: shape.topicAlias ? TOPIC_ALIASES : 0,
  });
  const subscribe = subscribePackets(topics.filters, qos, version);
  return new LoadSubscriber({ address, version, connect, subscribe, payloadBytes });
}

function publisherOf(
  shape: Shape,
  address: Address,
  topics: Topics,
  pair: number,
  publisher: number,
  latency: LatencyHistogram,
): LoadPublisher {
  const { version, qos, payloadBytes } = shape;
  const window = shape.rate > 0 ? OPEN_LOOP_WINDOW : shape.window;
  const published = publishedOf(topics.names, shape.publishedTopics);
  const slots = Math.max(window, Math.min(published.length, TOPIC_SLOTS_MAX));
  const ring = publishRing({
    topics: published,
    qos,
    version,
    publisher,
    payloadBytes,
    slots,
    withProperties: shape.properties,
    withTopicAlias: shape.topicAlias,
    isRetained: false,
    inWebSocketFrames: shape.transport === 'websocket',
  });
  const connect = connectPacket({
    clientIdentifier: `publisher-${pair}-${publisher}`,
    version,
    isPersistent: false,
    topicAliasMaximum: 0,
  });
  return new LoadPublisher({
    address,
    connect,
    ring,
    qos,
    window,
    subscribers: shape.fanOut,
    latency,
  });
}

/** So many of the names, from everywhere among them. */
function publishedOf(names: readonly string[], count: number): readonly string[] {
  if (count === 0 || count >= names.length) return names;
  const step = names.length / count;
  return Array.from({ length: count }, (_, i) => names[Math.floor(i * step)]!);
}

function begin({ publishers, churn }: Fleet, { rate }: Shape): void {
  churn?.begin();
  if (rate === 0) {
    for (const publisher of publishers) publisher.begin(undefined);
    return;
  }
  const everyMs = (1000 * publishers.length) / rate;
  const nowMs = performance.now();
  publishers.forEach((publisher, i) => {
    publisher.begin({ firstMs: nowMs + (i * everyMs) / publishers.length, everyMs });
  });
  // The generator has a core of its own, and a timer of the system would be a millisecond late.
  const turn = (): void => {
    const turnMs = performance.now();
    for (const publisher of publishers) publisher.send(turnMs);
    if (!publishers[0]!.stopped) setImmediate(turn);
  };
  turn();
}

/** Waits until nothing is under way and returns how many deliveries never came. */
async function drain({ publishers, subscribers }: Fleet, { fanOut }: Shape): Promise<number> {
  for (const publisher of publishers) publisher.stopped = true;
  const expected = sum(publishers, (publisher) => publisher.sent) * fanOut;
  const delivered = () => sum(subscribers, (subscriber) => subscriber.delivered);
  const deadlineMs = performance.now() + DRAIN_MS_MAX;
  while (delivered() < expected && performance.now() < deadlineMs) await delay(DRAIN_EVERY_MS);
  return expected - delivered();
}

function failureOf(
  { publishers, subscribers, churn }: Fleet,
  missing: number,
  unexpected: number,
  perSecond: number,
): string | undefined {
  const told = [...publishers, ...subscribers].find(({ failure }) => failure !== undefined);
  if (told?.failure !== undefined) return told.failure;
  if (churn?.failure !== undefined) return churn.failure;
  if (churn !== undefined && churn.answered < churn.requested * 0.9) {
    return `${churn.requested - churn.answered} of ${churn.requested} requests were not answered`;
  }
  if (missing !== 0) return `${missing} deliveries are missing`;
  if (unexpected !== 0) return `${unexpected} deliveries came twice or out of order`;
  return perSecond === 0 ? 'nothing was delivered' : undefined;
}

function disband({ publishers, subscribers, churn }: Fleet): void {
  churn?.stop();
  for (const client of [...publishers, ...subscribers]) client.destroy();
}
