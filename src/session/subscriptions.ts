import type { Subscription } from './subscription.js';

/** The Subscriptions of a Session, by Topic Filter as the client wrote it. */
export interface Subscriptions {
  readonly size: number;
  has(topicFilter: string): boolean;
  get(topicFilter: string): Subscription | undefined;
  keys(): Iterable<string>;
  values(): Iterable<Subscription>;
}

/** Of all Sessions that have none; never written. */
export const NO_SUBSCRIPTIONS: Subscriptions = new Map<string, Subscription>();

/** Most Sessions have one: it takes a sixth of the memory of a Map. */
class OneSubscription implements Subscriptions {
  readonly #subscription: Subscription;

  constructor(subscription: Subscription) {
    this.#subscription = subscription;
  }

  get size(): number {
    return 1;
  }

  has(topicFilter: string): boolean {
    return this.#subscription.topicFilter === topicFilter;
  }

  get(topicFilter: string): Subscription | undefined {
    return this.has(topicFilter) ? this.#subscription : undefined;
  }

  keys(): Iterable<string> {
    return [this.#subscription.topicFilter];
  }

  values(): Iterable<Subscription> {
    return [this.#subscription];
  }
}

/** With one more, or another one in place of one with the same filter. */
export function withSubscription(all: Subscriptions, added: Subscription): Subscriptions {
  const { topicFilter } = added;
  if (all instanceof Map && all.size > 0) return all.set(topicFilter, added);
  if (all.size === 0 || all.has(topicFilter)) return new OneSubscription(added);
  const many = new Map<string, Subscription>();
  for (const subscription of all.values()) many.set(subscription.topicFilter, subscription);
  return many.set(topicFilter, added);
}

/** Without one that is there. */
export function withoutSubscription(all: Subscriptions, topicFilter: string): Subscriptions {
  if (!(all instanceof Map) || all.size === 1) return NO_SUBSCRIPTIONS;
  all.delete(topicFilter);
  return all;
}
