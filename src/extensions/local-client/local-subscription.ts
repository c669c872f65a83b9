import { Fifo } from '../../base/fifo.js';
import type { QoS } from '../../wire/control-packet.js';
import type { LocalClientError } from './local-client-error.js';
import type { Delivery, LocalMessage } from './local-message.js';

/** What may wait in a loop at QoS 0; QoS 1 and 2 are bounded by Receive Maximum. */
export interface Qos0Bounds {
  readonly messagesMax: number;
  readonly bytesMax: number;
}

interface Asking {
  readonly resolve: (result: IteratorResult<LocalMessage, undefined>) => void;
  readonly reject: (error: LocalClientError) => void;
}

const OVER: IteratorReturnResult<undefined> = { done: true, value: undefined };

/**
 * The messages of one Topic Filter, for one loop:
 *
 *     for await (const message of subscription) { … }
 *
 * A QoS 1 or 2 message is acknowledged when the loop asks for the next one: a slow loop holds up to
 * Receive Maximum messages, and the broker queues the rest in the Session. The quota is the
 * client's, so a loop that must not wait for a slow one has a client of its own. Leaving the loop
 * by `break` leaves the Subscription as it is: a later loop goes on, and what was in hand is
 * acknowledged then.
 */
export class LocalSubscription implements AsyncIterableIterator<LocalMessage, undefined> {
  readonly topicFilter: string;
  readonly #bounds: Qos0Bounds;
  readonly #leave: () => Promise<void>;
  readonly #waiting = new Fifo<Delivery>();
  readonly #asking = new Fifo<Asking>();
  #current: Delivery | undefined = undefined;
  #qos: QoS = 0;
  #qos0Messages = 0;
  #qos0Bytes = 0;
  #dropped = 0;
  #end: { readonly error: LocalClientError | undefined } | undefined = undefined;

  constructor(topicFilter: string, bounds: Qos0Bounds, leave: () => Promise<void>) {
    this.topicFilter = topicFilter;
    this.#bounds = bounds;
    this.#leave = leave;
  }

  /** As granted by the broker, which may be less than was asked for. */
  get qos(): QoS {
    return this.#qos;
  }

  /** QoS 0 messages that the loop was too slow for. */
  get dropped(): number {
    return this.#dropped;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<LocalMessage, undefined>> {
    this.#doneWithCurrent();
    const delivery = this.#waiting.shift();
    if (delivery !== undefined) {
      this.#countQos0(delivery, -1);
      this.#current = delivery;
      return Promise.resolve({ done: false, value: delivery.message });
    }
    if (this.#end?.error !== undefined) return Promise.reject(this.#end.error);
    if (this.#end !== undefined) return Promise.resolve(OVER);
    return new Promise((resolve, reject) => this.#asking.push({ resolve, reject }));
  }

  return(): Promise<IteratorResult<LocalMessage, undefined>> {
    return Promise.resolve(OVER);
  }

  /**
   * Ends the Subscription and its loop; messages that still wait are dropped. Resolves when the
   * broker has answered.
   */
  unsubscribe(): Promise<void> {
    if (this.#end !== undefined) return Promise.resolve();
    this.#doneWithCurrent();
    for (const delivery of this.#waiting) delivery.done();
    this.ended(undefined);
    return this.#leave();
  }

  /** For the client alone. */
  granted(qos: QoS): void {
    this.#qos = qos;
  }

  /** For the client alone. */
  deliver(delivery: Delivery): void {
    if (delivery.packetIdentifier === 0 && this.#isFull(delivery)) {
      this.#dropped++;
      return;
    }
    delivery.hold();
    const asking = this.#asking.shift();
    if (asking === undefined) {
      this.#waiting.push(delivery);
      this.#countQos0(delivery, 1);
    } else {
      this.#current = delivery;
      asking.resolve({ done: false, value: delivery.message });
    }
  }

  /** For the client alone. Nothing is acknowledged: what waits stays in the Session. */
  ended(error: LocalClientError | undefined): void {
    if (this.#end !== undefined) return;
    this.#end = { error };
    this.#waiting.clear();
    for (const { resolve, reject } of this.#asking) {
      if (error === undefined) resolve(OVER);
      else reject(error);
    }
    this.#asking.clear();
  }

  #doneWithCurrent(): void {
    const current = this.#current;
    this.#current = undefined;
    current?.done();
  }

  #isFull(delivery: Delivery): boolean {
    if (this.#asking.length > 0) return false;
    const { messagesMax, bytesMax } = this.#bounds;
    const bytes = this.#qos0Bytes + delivery.message.payload.length;
    return this.#qos0Messages >= messagesMax || bytes > bytesMax;
  }

  #countQos0(delivery: Delivery, sign: 1 | -1): void {
    if (delivery.packetIdentifier > 0) return;
    this.#qos0Messages += sign;
    this.#qos0Bytes += sign * delivery.message.payload.length;
  }
}
