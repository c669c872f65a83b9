import type {
  NetworkConnection,
  NetworkConnectionEvents,
} from '../../src/session/network-connection.js';
import type { Accept } from '../../src/transport/listener.js';

/** Stands in for the protocol: keeps what the transport tells it, and lets tests wait for it. */
export class Recorder implements NetworkConnectionEvents {
  readonly network: NetworkConnection;
  readonly received: number[] = [];
  readonly causes: string[] = [];
  drains = 0;
  chunks = 0;
  bytes = 0;
  /** Runs inside `receive`, before it returns. */
  onReceive: (() => void) | undefined = undefined;
  #waiting: (() => void)[] = [];

  constructor(network: NetworkConnection) {
    this.network = network;
  }

  receive(chunk: Uint8Array): void {
    this.received.push(...chunk);
    this.chunks++;
    this.bytes += chunk.length;
    this.onReceive?.();
    this.#changed();
  }

  drained(): void {
    this.drains++;
    this.#changed();
  }

  networkClosed(cause: string): void {
    this.causes.push(cause);
    this.#changed();
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  #changed(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}

/** Hands each connection to a new recorder; `next` waits for the first that is not yet taken. */
export class RecordingBroker {
  readonly accepted: Recorder[] = [];
  #taken = 0;
  #waiting: (() => void)[] = [];

  readonly accept: Accept = (network) => {
    const recorder = new Recorder(network);
    this.accepted.push(recorder);
    for (const resolve of this.#waiting.splice(0)) resolve();
    return recorder;
  };

  async next(): Promise<Recorder> {
    while (this.accepted.length === this.#taken) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    return this.accepted[this.#taken++]!;
  }
}

/** Counts releases, each with its parts. */
export class CountingRelease {
  readonly released: (readonly Uint8Array[])[] = [];

  written(parts: readonly Uint8Array[]): void {
    this.released.push(parts);
  }
}
