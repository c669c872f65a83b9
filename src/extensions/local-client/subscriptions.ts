import type { LocalClientError } from './local-client-error.js';
import type { Delivery } from './local-message.js';
import type { LocalSubscription } from './local-subscription.js';

const IDENTIFIER_MAX = 268_435_455;
const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/** The Subscription of the Session and the loops that share it. */
interface Entry {
  readonly topicFilter: string;
  readonly identifier: number;
  readonly subscriptions: Set<LocalSubscription>;
}

/**
 * Which loops a message goes to, by Subscription Identifier. A Session has one Subscription for a
 * Topic Filter, so loops with the same filter share its identifier. The identifier is made from the
 * filter: a client that goes on with a Session knows the messages of earlier Subscriptions by it.
 */
export class Subscriptions {
  readonly #entries = new Map<string, Entry>();
  readonly #identifiers = new Map<number, Entry>();
  /** Of a resumed Session: messages of filters that were not asked for yet. */
  #unclaimed: Map<number, Delivery[]> | undefined = undefined;
  readonly #claimed = new Set<number>();

  /**
   * The Session was there before this client: what it holds waits until its filters are asked for.
   */
  resumed(): void {
    this.#unclaimed = new Map();
  }

  add(subscription: LocalSubscription): number {
    const { topicFilter } = subscription;
    let entry = this.#entries.get(topicFilter);
    if (entry === undefined) {
      const identifier = this.#identifierOf(topicFilter);
      entry = { topicFilter, identifier, subscriptions: new Set() };
      this.#entries.set(topicFilter, entry);
      this.#identifiers.set(identifier, entry);
    }
    entry.subscriptions.add(subscription);
    return entry.identifier;
  }

  /** The broker has granted it: what waited for its filter is its own. */
  claim(subscription: LocalSubscription): void {
    const entry = this.#entries.get(subscription.topicFilter);
    if (this.#unclaimed === undefined || entry === undefined) return;
    const { identifier } = entry;
    const deliveries = this.#unclaimed.get(identifier) ?? [];
    this.#unclaimed.delete(identifier);
    this.#claimed.add(identifier);
    for (const delivery of deliveries) {
      subscription.deliver(delivery);
      delivery.done();
    }
  }

  /** True when no loop is left, so that the Session's Subscription ends too. */
  remove(subscription: LocalSubscription): boolean {
    const entry = this.#entries.get(subscription.topicFilter);
    if (entry === undefined || !entry.subscriptions.delete(subscription)) return false;
    if (entry.subscriptions.size > 0) return false;
    this.#entries.delete(entry.topicFilter);
    this.#identifiers.delete(entry.identifier);
    return true;
  }

  deliver(delivery: Delivery, identifiers: readonly number[]): void {
    delivery.hold();
    for (const identifier of identifiers) {
      const entry = this.#identifiers.get(identifier);
      const isEarlier = this.#unclaimed !== undefined && !this.#claimed.has(identifier);
      if (isEarlier && delivery.packetIdentifier > 0) this.#keep(delivery, identifier);
      else if (entry !== undefined) {
        for (const subscription of entry.subscriptions) subscription.deliver(delivery);
      }
    }
    // With nobody to take it, it is acknowledged here.
    delivery.done();
  }

  end(error: LocalClientError | undefined): void {
    for (const { subscriptions } of this.#entries.values()) {
      for (const subscription of subscriptions) subscription.ended(error);
    }
    this.#entries.clear();
    this.#identifiers.clear();
    this.#unclaimed?.clear();
  }

  #keep(delivery: Delivery, identifier: number): void {
    const kept = this.#unclaimed!.get(identifier);
    delivery.hold();
    if (kept === undefined) this.#unclaimed!.set(identifier, [delivery]);
    else kept.push(delivery);
  }

  #identifierOf(topicFilter: string): number {
    let hash = FNV_OFFSET;
    for (let i = 0; i < topicFilter.length; i++) {
      hash = Math.imul(hash ^ topicFilter.charCodeAt(i), FNV_PRIME) >>> 0;
    }
    let identifier = 1 + (hash % IDENTIFIER_MAX);
    while (this.#identifiers.has(identifier)) identifier = 1 + (identifier % IDENTIFIER_MAX);
    return identifier;
  }
}
