import { type Address, LoadConnection, type LoadHandler } from './connection.js';
import type { LatencyHistogram } from './latency-histogram.js';
import { acknowledgements, type PublishRing, type QoS } from './packets.js';

export interface PublisherOptions {
  readonly address: Address;
  readonly connect: Uint8Array;
  readonly ring: PublishRing;
  readonly qos: QoS;
  /** Messages not yet delivered to every subscriber, or not yet acknowledged. */
  readonly window: number;
  /** 0 when nobody listens: then acknowledgements alone move the window. */
  readonly subscribers: number;
  readonly latency: LatencyHistogram;
}

/** When messages are due in an open loop. */
export interface Schedule {
  readonly firstMs: number;
  readonly everyMs: number;
}

/**
 * Publishes in a closed window: a slot of the ring is sent again only when its last message reached
 * every subscriber (and was acknowledged), so the bytes are free and the identifier too.
 *
 * With a schedule messages are sent when they are due, and their time counts from then even when
 * the window held them back: a broker that stalls pays for all that waited.
 */
export class LoadPublisher implements LoadHandler {
  sent = 0;
  acknowledged = 0;
  /** Messages that every subscriber has, without a gap. */
  completed = 0;
  stopped = false;
  /** Messages after which it stops by itself. */
  limit: number = Number.POSITIVE_INFINITY;
  failure: string | undefined = undefined;
  /** The CONNACK, as bytes, once it came. */
  readonly accepted: Promise<Uint8Array>;

  readonly #options: PublisherOptions;
  readonly #connection: LoadConnection;
  readonly #remaining: Int32Array;
  readonly #startedAt: Float64Array;
  #window: number;
  #schedule: Schedule | undefined = undefined;
  #releases: number[] = [];
  #isClosing = false;
  #accept: (connack: Uint8Array) => void = () => {};
  #refuse: (error: Error) => void = () => {};

  constructor(options: PublisherOptions) {
    this.#options = options;
    this.#window = options.window;
    this.#remaining = new Int32Array(options.ring.slots);
    this.#startedAt = new Float64Array(options.ring.slots);
    this.accepted = new Promise((resolve, reject) => {
      this.#accept = resolve;
      this.#refuse = reject;
    });
    this.#connection = new LoadConnection(options.address, this);
    this.#connection.write(options.connect);
  }

  /** The broker's Receive Maximum may be smaller than what was asked for. */
  limitWindow(messages: number): void {
    this.#window = Math.min(this.#window, messages);
  }

  begin(schedule: Schedule | undefined): void {
    this.#schedule = schedule;
    const { prologue } = this.#options.ring;
    if (prologue !== undefined) this.#connection.writeFramed(prologue);
    if (schedule === undefined) this.send(performance.now());
  }

  /** Sends what the window allows and, in an open loop, what is due. */
  send(nowMs: number): void {
    let free = this.stopped ? 0 : this.#window - (this.sent - this.#done());
    const schedule = this.#schedule;
    if (schedule !== undefined) {
      const due = Math.floor((nowMs - schedule.firstMs) / schedule.everyMs) + 1;
      free = Math.min(free, due - this.sent);
    }
    free = Math.min(free, this.limit - this.sent);
    const { slots, bytes, packetBytes } = this.#options.ring;
    while (free > 0) {
      const slot = this.sent % slots;
      const count = Math.min(free, slots - slot);
      for (let index = slot; index < slot + count; index++) this.#prepare(index, nowMs);
      this.#connection.writeFramed(
        bytes.subarray(slot * packetBytes, (slot + count) * packetBytes),
      );
      free -= count;
    }
  }

  /** One subscriber received the message with this sequence number. */
  delivered(sequence: number, nowMs: number): void {
    const { latency, ring } = this.#options;
    const slot = sequence % ring.slots;
    this.#remaining[slot]!--;
    latency.add(nowMs - this.#startedAt[slot]!);
    while (this.completed < this.sent && this.#remaining[this.completed % ring.slots] === 0) {
      this.completed++;
    }
  }

  beforeRead(): void {}

  packet(bytes: Uint8Array, start: number, body: number, end: number): void {
    const type = bytes[start]! >> 4;
    if (type === 4 || type === 7) this.#acknowledge(bytes, body, end);
    else if (type === 5) this.#releases.push(bytes[body]!, bytes[body + 1]!);
    else if (type === 2) this.#accept(bytes.slice(start, end));
  }

  afterRead(): void {
    if (this.#releases.length > 0) {
      this.#connection.write(acknowledgements(0x62, this.#releases));
      this.#releases = [];
    }
    if (this.sent > 0 && this.#schedule === undefined) this.send(performance.now());
  }

  closed(cause: string): void {
    if (this.#isClosing) return;
    this.failure ??= `a publisher lost its connection: ${cause}`;
    this.#refuse(new Error(this.failure));
  }

  destroy(): void {
    this.#isClosing = true;
    this.#connection.destroy();
  }

  #done(): number {
    if (this.#options.qos === 0) return this.completed;
    if (this.#options.subscribers === 0) return this.acknowledged;
    return Math.min(this.completed, this.acknowledged);
  }

  #acknowledge(bytes: Uint8Array, body: number, end: number): void {
    this.acknowledged++;
    // 5.0 adds a Reason Code unless it is Success.
    const reasonCode = end - body > 2 ? bytes[body + 2]! : 0;
    if (reasonCode >= 0x80) this.failure ??= `a message was refused: ${reasonCode}`;
  }

  #prepare(slot: number, nowMs: number): void {
    const schedule = this.#schedule;
    const sequence = this.sent++;
    this.#remaining[slot] = this.#options.subscribers;
    this.#startedAt[slot] =
      schedule === undefined ? nowMs : schedule.firstMs + sequence * schedule.everyMs;
    const { bytes, packetBytes, sequenceOffset } = this.#options.ring;
    const at = slot * packetBytes + sequenceOffset;
    bytes[at] = sequence >>> 24;
    bytes[at + 1] = sequence >>> 16;
    bytes[at + 2] = sequence >>> 8;
    bytes[at + 3] = sequence;
  }
}
