import { expect } from 'vitest';
import { utf8Bytes } from '../../src/base/utf8.js';
import { Delivery } from '../../src/session/delivery.js';
import { Drops } from '../../src/session/drops.js';
import { defaultLimits, type Limits } from '../../src/session/limits.js';
import { OutboundFlow } from '../../src/session/outbound-flow.js';
import type { Receiver } from '../../src/session/receiver.js';
import { Statistics } from '../../src/session/statistics.js';
import { DurableStore } from '../../src/store/durable-store.js';
import { Family, sequenceOf, sessionKey } from '../../src/store/key.js';
import { MemoryEngine } from '../../src/store/memory-engine.js';
import { decodeExchange, decodeQueueEntry } from '../../src/store/record.js';
import { recover } from '../../src/store/recovery.js';
import { ApplicationMessage, NEVER_EXPIRES } from '../../src/wire/application-message.js';
import { PublishFrame } from '../../src/wire/publish-frame.js';
import { recordingLogger } from '../broker/recording-logger.js';
import { TestTime } from '../broker/test-time.js';
import { ManualEngine } from '../store/manual-engine.js';
import { RecordingRecovery } from '../store/recording-recovery.js';

const TOPIC = 'topic';

export interface BenchOptions {
  /** Whether the Session outlives its connection; true unless told. */
  readonly isStored?: boolean;
  /** Writes complete only by `commit`. */
  readonly holdsCommits?: boolean;
  readonly limits?: Partial<Limits>;
}

/** A client: notes what it is sent, as `1 m` or `1 dup m`, at QoS 0 `m`, and `rel 1`. */
export class FakeReceiver implements Receiver {
  hasRoom = true;
  sentBytes = 0;
  packetBytesMax: number = Number.POSITIVE_INFINITY;
  readonly sent: string[] = [];

  sendPublish(frame: PublishFrame, flags: number, packetIdentifier: number): boolean {
    const payload = frame.payload.subarray(frame.payloadStart, frame.payloadEnd);
    if (payload.length > this.packetBytesMax) return false;
    const parts = [Buffer.from(payload).toString()];
    if ((flags & 0x08) !== 0) parts.unshift('dup');
    if (packetIdentifier !== 0) parts.unshift(String(packetIdentifier));
    this.sent.push(parts.join(' '));
    this.sentBytes = payload.length;
    return true;
  }

  sendPubrel(packetIdentifier: number, isUnknown: boolean): void {
    this.sent.push(`rel ${packetIdentifier}${isUnknown ? ' unknown' : ''}`);
  }

  /** What came since the last call. */
  take(): string[] {
    return this.sent.splice(0);
  }
}

/** One outbound flow over the real store, on a disk whose writes the test may hold. */
export class OutboundBench {
  readonly time: TestTime = new TestTime();
  readonly statistics: Statistics = new Statistics();
  readonly engine: ManualEngine;
  readonly limits: Limits;
  store!: DurableStore;
  flow!: OutboundFlow;
  receiver: FakeReceiver = new FakeReceiver();
  readonly #options: BenchOptions;
  readonly #disk: MemoryEngine;

  private constructor(options: BenchOptions) {
    this.#options = options;
    this.#disk = new MemoryEngine(this.time);
    this.engine = new ManualEngine(this.#disk);
    this.limits = { ...defaultLimits, ...options.limits };
  }

  static async start(options: BenchOptions = {}): Promise<OutboundBench> {
    const bench = new OutboundBench(options);
    await bench.#boot();
    return bench;
  }

  async #boot(): Promise<void> {
    const { time, engine } = this;
    this.store = new DurableStore({ engine, endOfTick: time, onFailure() {} });
    await recover(engine, this.store, new RecordingRecovery());
    this.flow = this.successor();
    if (this.#options.isStored === false) return;
    const sessionNumber = this.store.nextSessionNumber();
    this.flow.queue.sessionNumber = sessionNumber;
    this.store.putSession({
      sessionNumber,
      clientIdentifier: 'c',
      userName: undefined,
      protocolVersion: 5,
      sessionExpiryIntervalSeconds: 60,
      connected: false,
      disconnectedAtWallMs: 0,
      will: undefined,
      willDueWallMs: 0,
    });
    this.commitAll();
  }

  /** A flow without any state over the same store, as a restart makes one. */
  successor(): OutboundFlow {
    const { time, statistics, limits, store } = this;
    const drops = new Drops(statistics, recordingLogger([]), time, { empty: true, run() {} });
    const shared = { clock: time, store, limits, statistics, drops };
    return new OutboundFlow({ ...shared, queuedFrame: new PublishFrame() }, 'c');
  }

  /** Ends turns; completes writes too unless they are held. */
  run(): void {
    this.time.run();
    if (this.#options.holdsCommits !== true) this.commitAll();
  }

  commit(): void {
    this.engine.complete();
    this.time.run();
  }

  commitAll(): void {
    this.time.run();
    while (this.engine.isWriting) this.commit();
  }

  attach(receiveMaximum = 10): void {
    this.receiver = new FakeReceiver();
    this.flow.attach(this.receiver, receiveMaximum);
    this.run();
  }

  /** False when the flow refuses; it is not given the message then. */
  deliver(text: string, qos: 0 | 1 | 2 = 1, expirySeconds?: number, holdTicket = 0): boolean {
    const message = this.message(text, expirySeconds);
    const frame = new PublishFrame();
    frame.fromMessage(message, this.time.wallMs());
    const delivery = new Delivery(undefined, qos, false);
    if (this.flow.refuses(message.bytes)) return false;
    this.flow.deliver(delivery, frame, () => message, holdTicket);
    return true;
  }

  /** Many, one tick for all of them. */
  deliverMany(from: number, to: number, qos: 0 | 1 | 2 = 1): void {
    for (let i = from; i < to; i++) this.deliver(`m${i}`, qos);
    this.run();
  }

  message(text: string, expirySeconds?: number): ApplicationMessage {
    const expiresAt =
      expirySeconds === undefined ? NEVER_EXPIRES : this.time.wallMs() + expirySeconds * 1000;
    const payload = Uint8Array.from(Buffer.from(text));
    const topic = utf8Bytes(TOPIC);
    return new ApplicationMessage(
      TOPIC,
      topic,
      payload,
      new Uint8Array(0),
      2,
      false,
      expiresAt,
      'p',
    );
  }

  /** Acknowledges each QoS 1 message that came, until nothing comes any more; all that came. */
  drain(): string[] {
    const all: string[] = [];
    for (;;) {
      const sent = this.receiver.take();
      if (sent.length === 0) return all;
      all.push(...sent);
      for (const line of sent) this.flow.acknowledged(Number.parseInt(line, 10));
      this.run();
    }
  }

  /** What the disk has once everything is committed; a released exchange counts as an entry. */
  async onDisk(): Promise<DiskContent> {
    this.commitAll();
    const { sessionNumber } = this.flow.queue;
    let [count, bytes, first] = [0, 0, Number.POSITIVE_INFINITY];
    for await (const entry of this.engine.scan(sessionKey(Family.Queue, sessionNumber))) {
      const { queued } = decodeQueueEntry(entry);
      count++;
      bytes += queued.message === undefined ? queued.bodyBytes : queued.message.bytes;
      first = Math.min(first, sequenceOf(entry.key));
    }
    let exchanges = 0;
    for await (const entry of this.engine.scan(sessionKey(Family.Exchange, sessionNumber))) {
      exchanges++;
      if (decodeExchange(entry).released) count++;
    }
    return { count, bytes, first, exchanges };
  }

  /** The queue's bookkeeping against the disk: counts agree, and no entry lies before the head. */
  async expectConsistent(): Promise<void> {
    const { count, bytes, first } = await this.onDisk();
    const { queue } = this.flow;
    expect({ count: queue.count, bytes: queue.bytes }).toEqual({ count, bytes });
    expect(queue.headSequence).toBeLessThanOrEqual(Math.min(first, queue.tailSequence));
  }
}

export interface DiskContent {
  readonly count: number;
  readonly bytes: number;
  /** The least sequence; Infinity when there is none. */
  readonly first: number;
  readonly exchanges: number;
}
