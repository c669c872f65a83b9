import type { Address } from '../load/connection.js';
import { inGroups, sum } from '../load/in-groups.js';
import { LatencyHistogram } from '../load/latency-histogram.js';
import { Meter } from '../load/meter.js';
import {
  connectPacket,
  grantedReceiveMaximum,
  publishRing,
  subscribePackets,
} from '../load/packets.js';
import { LoadPublisher } from '../load/publisher.js';
import type { CaseResult, Duration, Target } from '../load/result.js';
import { plainShape, type Shape, topicsOf } from '../load/shape.js';
import { LoadSubscriber } from '../load/subscriber.js';
import { whenTrue } from '../load/when-true.js';

/** Below every broker's limit of messages in one queue. */
const MESSAGES_EACH_MAX = 10_000;
const DRAIN_MS_MAX = 120_000;

export interface BacklogOptions {
  readonly sessions: number;
  readonly payloadBytes: number;
  readonly window: number;
  /** Which half is measured; both are run and checked. */
  readonly measured: 'enqueue' | 'drain';
}

/**
 * Clients subscribe with QoS 1 and leave; publishers fill their queues; the clients come back and
 * must get every message, in order.
 */
export async function runOfflineBacklog(
  options: BacklogOptions,
  target: Target,
  duration: Duration,
): Promise<CaseResult> {
  const { sessions, payloadBytes, window, measured } = options;
  const shape: Shape = { ...plainShape, pairs: sessions, qos: 1, payloadBytes, window };
  const address: Address = { host: target.host, port: target.port, transport: 'tcp' };
  const firstVisit = await inGroups(sessions, (index) => visit(shape, address, index, true));
  for (const client of firstVisit) await client.disconnect();
  const publishers = await inGroups(sessions, (index) => publisherFor(shape, address, index));
  const enqueued = await enqueue(publishers, target, duration);
  if (enqueued.failure !== undefined) return enqueued;
  const published = sum(publishers, (publisher) => publisher.sent);
  const drained = await drain(shape, address, target, published);
  const chosen = measured === 'enqueue' ? enqueued : drained;
  return { ...chosen, failure: drained.failure, published, delivered: drained.delivered };
}

async function visit(
  shape: Shape,
  address: Address,
  index: number,
  subscribes: boolean,
): Promise<LoadSubscriber> {
  const connect = connectPacket({
    clientIdentifier: `sleeper-${index}`,
    version: shape.version,
    isPersistent: true,
    topicAliasMaximum: 0,
  });
  const { filters } = topicsOf(shape, index);
  const subscribe = subscribes ? subscribePackets(filters, 1, shape.version) : [];
  const { version, payloadBytes } = shape;
  const client = new LoadSubscriber({ address, version, connect, subscribe, payloadBytes });
  await client.subscribed;
  return client;
}

async function publisherFor(shape: Shape, address: Address, index: number): Promise<LoadPublisher> {
  const { version, payloadBytes, window } = shape;
  const ring = publishRing({
    topics: topicsOf(shape, index).names,
    qos: 1,
    version,
    publisher: 0,
    payloadBytes,
    slots: window,
    withProperties: false,
    withTopicAlias: false,
    isRetained: false,
    inWebSocketFrames: false,
  });
  const connect = connectPacket({
    clientIdentifier: `filler-${index}`,
    version,
    isPersistent: false,
    topicAliasMaximum: 0,
  });
  const latency = new LatencyHistogram();
  const publisher = new LoadPublisher({
    address,
    connect,
    ring,
    qos: 1,
    window,
    subscribers: 0,
    latency,
  });
  publisher.limitWindow(grantedReceiveMaximum(await publisher.accepted, version));
  return publisher;
}

/** Fills the queues until each is as long as it may be, or the time is over. */
async function enqueue(
  publishers: readonly LoadPublisher[],
  target: Target,
  { seconds, warmUpSeconds }: Duration,
): Promise<CaseResult> {
  const acknowledged = () => sum(publishers, (publisher) => publisher.acknowledged);
  const meter = new Meter(target, acknowledged);
  const total = publishers.length * MESSAGES_EACH_MAX;
  for (const publisher of publishers) {
    publisher.limit = MESSAGES_EACH_MAX;
    publisher.begin(undefined);
  }
  await whenTrue(() => acknowledged() === total, (seconds + warmUpSeconds) * 1000);
  for (const publisher of publishers) publisher.stopped = true;
  const sent = () => sum(publishers, (publisher) => publisher.sent);
  const isDone = await whenTrue(() => acknowledged() === sent(), DRAIN_MS_MAX);
  const result = meter.result();
  for (const publisher of publishers) publisher.destroy();
  const told = publishers.find(({ failure }) => failure !== undefined)?.failure;
  const failure = isDone ? told : `${sent() - acknowledged()} messages were not acknowledged`;
  return { ...result, unit: 'acknowledged message', failure };
}

async function drain(
  shape: Shape,
  address: Address,
  target: Target,
  published: number,
): Promise<CaseResult> {
  let clients: LoadSubscriber[] = [];
  const delivered = () => sum(clients, (client) => client.delivered);
  const meter = new Meter(target, delivered);
  // All come back in the same moment, as after a power cut.
  clients = await Promise.all(
    Array.from({ length: shape.pairs }, (_, index) => visit(shape, address, index, false)),
  );
  await whenTrue(() => delivered() >= published, DRAIN_MS_MAX);
  const result = meter.result();
  const unexpected = sum(clients, (client) => client.unexpected);
  const missing = published - delivered();
  for (const client of clients) client.destroy();
  const failure =
    missing !== 0
      ? `${missing} messages are missing`
      : unexpected !== 0
        ? `${unexpected} messages came twice or out of order`
        : undefined;
  return { ...result, failure, delivered: published - missing, missing, unexpected };
}
