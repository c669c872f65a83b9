import { type Address, LoadConnection, type LoadHandler } from '../load/connection.js';
import { LatencyHistogram } from '../load/latency-histogram.js';
import { Meter } from '../load/meter.js';
import { connectPacket, publishRing, subscribePackets } from '../load/packets.js';
import { LoadPublisher } from '../load/publisher.js';
import type { CaseResult, Duration, Target } from '../load/result.js';
import { plainShape, topicsOf } from '../load/shape.js';
import { whenTrue } from '../load/when-true.js';

const PAYLOAD_BYTES = 64;
const PUBLISH_MS_MAX = 120_000;
const FLOOD_MS_MAX = 120_000;
const WINDOW = 100;

/** One client after the other subscribes to all retained messages and waits until it has each. */
export async function runRetainedFlood(
  messages: number,
  target: Target,
  { seconds, warmUpSeconds }: Duration,
): Promise<CaseResult> {
  const address: Address = { host: target.host, port: target.port, transport: 'tcp' };
  await retain(messages, address);
  const latency = new LatencyHistogram();
  let delivered = 0;
  let isWarm = false;
  const meter = new Meter(target, () => delivered);
  const beganMs = performance.now();
  while (performance.now() - beganMs < (seconds + warmUpSeconds) * 1000) {
    if (!isWarm && performance.now() - beganMs > warmUpSeconds * 1000) {
      isWarm = true;
      latency.clear();
      meter.restart();
    }
    const reader = new RetainedReader(address, messages);
    if (!(await whenTrue(() => reader.isDone, FLOOD_MS_MAX))) {
      return { failure: `${messages - reader.distinct} retained messages never came` };
    }
    delivered += reader.distinct;
    latency.add(reader.tookMs);
    reader.destroy();
    if (reader.repeated > 0) return { failure: `${reader.repeated} retained messages came twice` };
  }
  const [p50Ms, p99Ms] = [0.5, 0.99].map((share) => latency.quantile(share));
  const note = `times are from SUBSCRIBE to the last of ${messages} messages`;
  return { ...meter.result(), p50Ms, p99Ms, delivered, missing: 0, unexpected: 0, note };
}

async function retain(messages: number, address: Address): Promise<void> {
  const { names } = topicsOf({ ...plainShape, pairs: 1, subscriptions: messages }, 0);
  const ring = publishRing({
    topics: names,
    qos: 1,
    version: 4,
    publisher: 0,
    payloadBytes: PAYLOAD_BYTES,
    slots: messages,
    withProperties: false,
    withTopicAlias: false,
    isRetained: true,
    inWebSocketFrames: false,
  });
  const publisher = new LoadPublisher({
    address,
    connect: connectPacket({
      clientIdentifier: 'retainer',
      version: 4,
      isPersistent: false,
      topicAliasMaximum: 0,
    }),
    ring,
    qos: 1,
    window: WINDOW,
    subscribers: 0,
    latency: new LatencyHistogram(),
  });
  await publisher.accepted;
  publisher.limit = messages;
  publisher.begin(undefined);
  const isRetained = await whenTrue(() => publisher.acknowledged === messages, PUBLISH_MS_MAX);
  publisher.destroy();
  if (!isRetained) throw new Error(`only ${publisher.acknowledged} messages were acknowledged`);
}

/** Subscribes to everything and ticks off what comes. */
class RetainedReader implements LoadHandler {
  distinct = 0;
  repeated = 0;
  tookMs = 0;
  readonly #messages: number;
  readonly #seen: Uint8Array;
  readonly #connection: LoadConnection;
  #subscribedMs = 0;

  constructor(address: Address, messages: number) {
    this.#messages = messages;
    this.#seen = new Uint8Array(messages);
    this.#connection = new LoadConnection(address, this);
    this.#connection.write(
      connectPacket({
        clientIdentifier: `reader-${performance.now()}`,
        version: 4,
        isPersistent: false,
        topicAliasMaximum: 0,
      }),
    );
  }

  get isDone(): boolean {
    return this.distinct === this.#messages;
  }

  beforeRead(): void {}

  packet(bytes: Uint8Array, start: number, _body: number, end: number): void {
    const type = bytes[start]! >> 4;
    if (type === 2) {
      this.#subscribedMs = performance.now();
      for (const packet of subscribePackets(['load/#'], 0, 4)) this.#connection.write(packet);
    } else if (type === 3) {
      const at = end - PAYLOAD_BYTES + 2;
      const sequence = (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
      if (this.#seen[sequence] === 0) this.distinct++;
      else this.repeated++;
      this.#seen[sequence] = 1;
    }
  }

  afterRead(): void {
    if (this.isDone && this.tookMs === 0) this.tookMs = performance.now() - this.#subscribedMs;
  }

  closed(): void {}

  destroy(): void {
    this.#connection.destroy();
  }
}
