import type { LatencyHistogram } from './latency-histogram.js';
import { LoadConnection, type LoadHandler } from './load-connection.js';
import type { PublishRing, QoS } from './load-packets.js';

// One delivery in so many is timed: reading the clock costs more than all the rest of a delivery.
const TIMED_EVERY = 16;

export interface LoadPublisherOptions {
  readonly host: string;
  readonly port: number;
  readonly connect: Uint8Array;
  readonly ring: PublishRing;
  readonly qos: QoS;
  /**
   * Messages not yet delivered to every subscriber, or not yet acknowledged; as many as the ring
   * has slots.
   */
  readonly window: number;
  readonly subscribers: number;
  readonly latency: LatencyHistogram;
}

/**
 * Publishes in a closed window: a slot of the ring is sent again only when its last message reached
 * every subscriber (and was acknowledged), so the bytes are free and the identifier too.
 */
export class LoadPublisher implements LoadHandler {
  sent = 0;
  acknowledged = 0;
  /** Messages that every subscriber has, without a gap. */
  completed = 0;
  stopped = false;
  /** The CONNACK, as bytes, once it came. */
  readonly accepted: Promise<Buffer>;

  readonly #options: LoadPublisherOptions;
  readonly #connection: LoadConnection;
  readonly #remaining: Int32Array;
  readonly #sentAt: Float64Array;
  #window: number;
  #releases: number[] = [];
  #accept: (connack: Buffer) => void = () => {};
  #refuse: (error: Error) => void = () => {};

  constructor(options: LoadPublisherOptions) {
    this.#options = options;
    this.#window = options.window;
    this.#remaining = new Int32Array(options.window);
    this.#sentAt = new Float64Array(options.window);
    this.accepted = new Promise((resolve, reject) => {
      this.#accept = resolve;
      this.#refuse = reject;
    });
    this.#connection = new LoadConnection(options.host, options.port, this);
    this.#connection.write(options.connect);
  }

  /** The broker's Receive Maximum may be smaller than what was asked for. */
  limitWindow(messages: number): void {
    this.#window = Math.min(this.#window, messages);
  }

  send(): void {
    const { window: slots, qos, ring, subscribers } = this.#options;
    const done = qos === 0 ? this.completed : Math.min(this.completed, this.acknowledged);
    let free = this.stopped ? 0 : this.#window - (this.sent - done);
    if (free <= 0) return;
    const now = performance.now();
    while (free > 0) {
      const slot = this.sent % slots;
      const count = Math.min(free, slots - slot);
      for (let index = slot; index < slot + count; index++) {
        this.#stamp(index, this.sent++);
        this.#remaining[index] = subscribers;
        this.#sentAt[index] = now;
      }
      const { packetBytes } = ring;
      this.#connection.write(ring.bytes.subarray(slot * packetBytes, (slot + count) * packetBytes));
      free -= count;
    }
  }

  /** One subscriber received the message with this sequence number. */
  delivered(sequence: number): void {
    const { window: slots, latency } = this.#options;
    const slot = sequence % slots;
    this.#remaining[slot]!--;
    if (sequence % TIMED_EVERY === 0) latency.add(performance.now() - this.#sentAt[slot]!);
    while (this.completed < this.sent && this.#remaining[this.completed % slots] === 0) {
      this.completed++;
    }
  }

  packet(bytes: Uint8Array, start: number, body: number, end: number): void {
    const type = bytes[start]! >> 4;
    if (type === 4 || type === 7) this.acknowledged++;
    else if (type === 5) this.#releases.push(bytes[body]!, bytes[body + 1]!);
    else if (type === 2) this.#accept(Buffer.from(bytes.subarray(start, end)));
  }

  afterRead(): void {
    if (this.#releases.length > 0) {
      this.#connection.write(acknowledgements(0x62, this.#releases));
      this.#releases = [];
    }
    if (this.sent > 0) this.send();
  }

  closed(): void {
    this.#refuse(new Error('the broker closed a publisher'));
  }

  destroy(): void {
    this.#connection.destroy();
  }

  #stamp(slot: number, sequence: number): void {
    const { bytes, packetBytes, sequenceOffset } = this.#options.ring;
    const at = slot * packetBytes + sequenceOffset;
    bytes[at] = sequence >>> 24;
    bytes[at + 1] = sequence >>> 16;
    bytes[at + 2] = sequence >>> 8;
    bytes[at + 3] = sequence;
  }
}

/** Four-byte acknowledgements, glued: `identifiers` holds two bytes for each. */
export function acknowledgements(firstByte: number, identifiers: readonly number[]): Buffer {
  const packets = Buffer.allocUnsafe(identifiers.length * 2);
  for (let from = 0, to = 0; from < identifiers.length; from += 2, to += 4) {
    packets[to] = firstByte;
    packets[to + 1] = 2;
    packets[to + 2] = identifiers[from]!;
    packets[to + 3] = identifiers[from + 1]!;
  }
  return packets;
}
