import { PerformanceObserver } from 'node:perf_hooks';
import { setImmediate as turn } from 'node:timers/promises';
import { connectPacket, encode, subscribePackets } from '../load/packets.js';
import { InProcessBroker } from './in-process.js';

const MESSAGES_PER_TICK = 100;
const TICKS = 200;
const WARM_UP_TICKS = 500;
/** A collection in the middle spoils a measurement; it is made again. */
const ATTEMPTS_MAX = 10;
const TOPIC = 'load/site-0001/temperature';

export interface Allocation {
  readonly subscribers: number;
  readonly bytesPerMessage: number;
  readonly bytesPerDelivery: number;
  readonly budgetBytesPerMessage: number;
}

/**
 * What the path of a QoS 0 PUBLISH allocates, from the read chunk to the written parts: 100
 * messages arrive in one read. The budget leaves room for what a tick costs each connection (the
 * list of parts and its views), and none for an object per delivery.
 */
export async function measureAllocation(
  subscribers: number,
  budgetBytesPerMessage: number,
): Promise<Allocation> {
  const broker = new InProcessBroker();
  const options = { version: 4, isPersistent: false, topicAliasMaximum: 0 } as const;
  for (let i = 0; i < subscribers; i++) {
    const connect = connectPacket({ clientIdentifier: `subscriber-${i}`, ...options });
    broker.connect(connect, ...subscribePackets([TOPIC], 0, 4));
  }
  const publisher = broker.connect(connectPacket({ clientIdentifier: 'publisher', ...options }));
  const payload = Buffer.alloc(64, 'x');
  const fields = { topic: TOPIC, payload, qos: 0 as const, retain: false, dup: false };
  const packet = encode(4, { cmd: 'publish', ...fields });
  const chunk = Buffer.concat(Array.from({ length: MESSAGES_PER_TICK }, () => packet));
  const ticks = (count: number): void => {
    for (let i = 0; i < count; i++) {
      publisher.events.receive(chunk);
      broker.tick.end();
    }
  };
  ticks(WARM_UP_TICKS);
  const bytes = await allocatedBy(() => ticks(TICKS));
  const bytesPerMessage = bytes / (TICKS * MESSAGES_PER_TICK);
  return {
    subscribers,
    bytesPerMessage,
    bytesPerDelivery: bytesPerMessage / subscribers,
    budgetBytesPerMessage,
  };
}

/** Bytes by which the heap and the buffers beside it grow, without a collection in between. */
async function allocatedBy(work: () => void): Promise<number> {
  let collections = 0;
  const observer = new PerformanceObserver((list) => {
    collections += list.getEntries().length;
  });
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    globalThis.gc?.();
    await turn();
    observer.observe({ entryTypes: ['gc'] });
    collections = 0;
    const before = process.memoryUsage();
    work();
    const after = process.memoryUsage();
    await turn();
    observer.disconnect();
    const grown = after.heapUsed - before.heapUsed + after.arrayBuffers - before.arrayBuffers;
    if (collections === 0) return grown;
  }
  throw new Error('the heap is too small to measure in: see package.json for the flags');
}
