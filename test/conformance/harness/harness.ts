import type { Broker } from '../../../src/broker/broker.js';
import type { Limits, ListenerPolicy } from '../../../src/session/limits.js';

/** What a case asks of the broker beside the defaults. */
export interface Setup {
  readonly limits?: Partial<Limits>;
  readonly policy?: Partial<ListenerPolicy>;
}

/** A broker and the means to reach it: simulated or over real sockets. Time moves only by `advance`. */
export interface Harness {
  /** For flows that use hooks. */
  readonly broker: Broker;
  open(): Promise<Link>;
  /** Lets everything that is under way come to its end: nothing is on its way any more. */
  settle(): Promise<void>;
  advance(ms: number): Promise<void>;
  stop(): Promise<void>;
}

/** A client's end of a network connection: bytes out, bytes in. */
export interface Link {
  readonly inbox: Inbox;
  /** Ended by the server. */
  readonly closed: boolean;
  send(bytes: Uint8Array): Promise<void>;
  /** Ends the network connection without a DISCONNECT. */
  drop(): Promise<void>;
  /** Returns when it holds, when the server has closed, or when nothing more can come. */
  until(condition: () => boolean): Promise<void>;
}

export type HarnessFactory = (setup: Setup) => Promise<Harness>;

/** Bytes that came and were not looked at yet. */
export class Inbox {
  #bytes: Uint8Array = new Uint8Array(0);
  #more: Uint8Array[] = [];
  #length = 0;

  get length(): number {
    return this.#length;
  }

  add(chunk: Uint8Array): void {
    this.#more.push(chunk);
    this.#length += chunk.length;
  }

  /** All of them, without taking any. */
  peek(): Uint8Array {
    if (this.#more.length > 0) {
      this.#bytes = Buffer.concat([this.#bytes, ...this.#more]);
      this.#more = [];
    }
    return this.#bytes;
  }

  take(count: number): Uint8Array {
    const taken = this.peek().subarray(0, count);
    this.#bytes = this.#bytes.subarray(count);
    this.#length = this.#bytes.length;
    return taken;
  }

  /** Length of the packet at the front; undefined while it is not whole. */
  packetLength(): number | undefined {
    const bytes = this.peek();
    let length = 0;
    for (let i = 1, shift = 0; i < Math.min(bytes.length, 5); i++, shift += 7) {
      length += (bytes[i]! & 0x7f) * 2 ** shift;
      if (bytes[i]! < 0x80) return bytes.length >= i + 1 + length ? i + 1 + length : undefined;
    }
    return undefined;
  }
}
