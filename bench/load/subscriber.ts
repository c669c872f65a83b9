import { type Address, LoadConnection, type LoadHandler } from './connection.js';
import {
  acknowledgements,
  grantedReceiveMaximum,
  PROLOGUE_SEQUENCE,
  type Version,
} from './packets.js';
import type { LoadPublisher } from './publisher.js';

export interface SubscriberOptions {
  readonly address: Address;
  readonly version: Version;
  readonly connect: Uint8Array;
  /** Empty for a client that has subscribed before. */
  readonly subscribe: readonly Uint8Array[];
  readonly payloadBytes: number;
}

const DISCONNECT = Uint8Array.of(0xe0, 0);

/** Counts what comes, checks that no number is missing or comes twice, and acknowledges. */
export class LoadSubscriber implements LoadHandler {
  delivered = 0;
  /** Deliveries whose sequence number was not the next one: lost, repeated or out of order. */
  unexpected = 0;
  failure: string | undefined = undefined;
  readonly subscribed: Promise<void>;

  readonly #options: SubscriberOptions;
  readonly #connection: LoadConnection;
  readonly #publishers: LoadPublisher[] = [];
  readonly #expected: number[] = [];
  readonly #touched = new Set<LoadPublisher>();
  #subscribing = 0;
  #nowMs = 0;
  #identifiers: number[] = [];
  #acknowledgement = 0x40;
  #completions: number[] = [];
  #isClosing = false;
  #left: () => void = () => {};
  readonly #gone: Promise<void>;
  #ready: () => void = () => {};
  #refuse: (error: Error) => void = () => {};

  constructor(options: SubscriberOptions) {
    this.#options = options;
    this.subscribed = new Promise((resolve, reject) => {
      this.#ready = resolve;
      this.#refuse = reject;
    });
    this.#gone = new Promise((resolve) => {
      this.#left = resolve;
    });
    this.#connection = new LoadConnection(options.address, this);
    this.#connection.write(options.connect);
  }

  /** Publishers are known by the number in their payloads. */
  listenTo(publishers: readonly LoadPublisher[]): void {
    this.#publishers.push(...publishers);
  }

  beforeRead(nowMs: number): void {
    this.#nowMs = nowMs;
  }

  packet(bytes: Uint8Array, start: number, body: number, end: number): void {
    const first = bytes[start]!;
    const type = first >> 4;
    if (type === 3) this.#receive(bytes, first, body, end);
    else if (type === 6) this.#completions.push(bytes[body]!, bytes[body + 1]!);
    else if (type === 2) this.#connected(bytes.subarray(start, end));
    else if (type === 9) this.#granted(bytes[end - 1]!);
  }

  afterRead(): void {
    if (this.#identifiers.length > 0) {
      this.#connection.write(acknowledgements(this.#acknowledgement, this.#identifiers));
      this.#identifiers = [];
    }
    if (this.#completions.length > 0) {
      this.#connection.write(acknowledgements(0x70, this.#completions));
      this.#completions = [];
    }
    for (const publisher of this.#touched) publisher.send(this.#nowMs);
    this.#touched.clear();
  }

  closed(cause: string): void {
    this.#left();
    if (this.#isClosing) return;
    this.failure ??= `a subscriber lost its connection: ${cause}`;
    this.#refuse(new Error(this.failure));
  }

  destroy(): void {
    this.#isClosing = true;
    this.#connection.destroy();
  }

  /** Ends the connection as a client should. */
  disconnect(): Promise<void> {
    this.#isClosing = true;
    this.#connection.write(DISCONNECT);
    this.#connection.end();
    return this.#gone;
  }

  #connected(connack: Uint8Array): void {
    try {
      grantedReceiveMaximum(connack, this.#options.version);
    } catch (error) {
      this.#refuse(error as Error);
      return;
    }
    this.#subscribeNext();
  }

  /** One SUBSCRIBE after the other, however many filters there are. */
  #subscribeNext(): void {
    const packet = this.#options.subscribe[this.#subscribing++];
    if (packet === undefined) this.#ready();
    else this.#connection.write(packet);
  }

  #granted(code: number): void {
    if (code >= 0x80) this.#refuse(new Error(`a subscription was refused: ${code}`));
    else this.#subscribeNext();
  }

  #receive(bytes: Uint8Array, first: number, body: number, end: number): void {
    const qos = (first >> 1) & 3;
    if (qos > 0) {
      const identifier = body + 2 + ((bytes[body]! << 8) | bytes[body + 1]!);
      this.#identifiers.push(bytes[identifier]!, bytes[identifier + 1]!);
      this.#acknowledgement = qos === 1 ? 0x40 : 0x50;
    }
    const payload = end - this.#options.payloadBytes;
    const index = (bytes[payload]! << 8) | bytes[payload + 1]!;
    const sequence =
      ((bytes[payload + 2]! << 24) |
        (bytes[payload + 3]! << 16) |
        (bytes[payload + 4]! << 8) |
        bytes[payload + 5]!) >>>
      0;
    if (sequence === PROLOGUE_SEQUENCE) return;
    this.delivered++;
    if (sequence !== (this.#expected[index] ?? 0)) this.unexpected++;
    this.#expected[index] = sequence + 1;
    const publisher = this.#publishers[index];
    if (publisher === undefined) return;
    publisher.delivered(sequence, this.#nowMs);
    this.#touched.add(publisher);
  }
}
