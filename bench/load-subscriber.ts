import { LoadConnection, type LoadHandler } from './load-connection.js';
import { acknowledgements, type LoadPublisher } from './load-publisher.js';

export interface LoadSubscriberOptions {
  readonly host: string;
  readonly port: number;
  readonly connect: Uint8Array;
  readonly subscribe: Uint8Array;
  readonly payloadBytes: number;
}

/** Counts what comes, checks that no number is missing or comes twice, and acknowledges. */
export class LoadSubscriber implements LoadHandler {
  delivered = 0;
  /** Deliveries whose sequence number was not the next one: lost, repeated or out of order. */
  unexpected = 0;
  readonly subscribed: Promise<void>;

  readonly #options: LoadSubscriberOptions;
  readonly #connection: LoadConnection;
  readonly #publishers: LoadPublisher[] = [];
  readonly #expected: number[] = [];
  readonly #touched = new Set<LoadPublisher>();
  #identifiers: number[] = [];
  #acknowledgement = 0x40;
  #completions: number[] = [];
  #ready: () => void = () => {};
  #refuse: (error: Error) => void = () => {};

  constructor(options: LoadSubscriberOptions) {
    this.#options = options;
    this.subscribed = new Promise((resolve, reject) => {
      this.#ready = resolve;
      this.#refuse = reject;
    });
    this.#connection = new LoadConnection(options.host, options.port, this);
    this.#connection.write(options.connect);
  }

  /** Publishers are known by the number in their payloads. */
  listenTo(publishers: readonly LoadPublisher[]): void {
    for (const publisher of publishers) {
      this.#publishers.push(publisher);
      this.#expected.push(0);
    }
  }

  packet(bytes: Uint8Array, start: number, body: number, end: number): void {
    const first = bytes[start]!;
    const type = first >> 4;
    if (type === 3) this.#receive(bytes, first, body, end);
    else if (type === 6) this.#completions.push(bytes[body]!, bytes[body + 1]!);
    else if (type === 2) this.#connection.write(this.#options.subscribe);
    else if (type === 9) this.#ready();
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
    for (const publisher of this.#touched) publisher.send();
    this.#touched.clear();
  }

  closed(): void {
    this.#refuse(new Error('the broker closed a subscriber'));
  }

  destroy(): void {
    this.#connection.destroy();
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
    this.delivered++;
    if (sequence !== this.#expected[index]) this.unexpected++;
    this.#expected[index] = sequence + 1;
    const publisher = this.#publishers[index]!;
    publisher.delivered(sequence);
    this.#touched.add(publisher);
  }
}
