import type { Logger } from '../base/log.js';
import { type ClientAccess, DENIED, type SubscriptionGrant } from '../session/client-access.js';
import type { Connection } from '../session/connection.js';
import type { Decision } from '../session/host.js';
import type { Limits } from '../session/limits.js';
import type { Session } from '../session/session.js';
import { type Subscription, sharedOptions } from '../session/subscription.js';
import { deepLevels } from '../topic/deep-levels.js';
import type { RouteCache } from '../topic/route-cache.js';
import type { SubscriptionTree } from '../topic/subscription-tree.js';
import { hasWildcards, parseTopicFilter, type TopicFilter } from '../topic/topic-filter.js';
import type { Subscribe, SubscribeEntry, Unsubscribe } from '../wire/control-packet.js';
import { ProtocolViolation } from '../wire/protocol-violation.js';
import { isFailure, ReasonCode } from '../wire/reason-code.js';
import { clientView } from './client-view.js';
import type { Hooks } from './hooks.js';
import type { RetainedDelivery } from './retained-delivery.js';
import type { Route, Subscriber } from './route.js';
import type { Shares } from './shares.js';
import type { Store, StoredSubscription } from './store.js';

/** In one packet, also where a Session may not have as many. */
const FILTERS_ALLOWED = 10_000;

/** What a UTF-8 Encoded String can hold. */
const PROTOCOL_LIMITS = { topicLevelsMax: 65_536, topicBytesMax: 65_535 };

/**
 * For each deep level of a filter with wildcards: 80 of memory, and for the work of matching. Many
 * filters of many levels can be made to match on level by level for every new Topic Name.
 */
const LEVEL_BYTES = 256;

const LIMIT_CODES: readonly ReasonCode[] = [
  ReasonCode.QuotaExceeded,
  ReasonCode.TopicFilterInvalid,
  ReasonCode.SharedSubscriptionsNotSupported,
  ReasonCode.WildcardSubscriptionsNotSupported,
];

/** SUBSCRIBE and UNSUBSCRIBE (sections 3.8 and 3.10). */
export class SubscribePath {
  /** Of the request just carried out: its batch, or 0. */
  ticket = 0;
  /** Of all Topic Filters with wildcards. */
  #deepLevels = 0;
  readonly #tree: SubscriptionTree<Subscriber>;
  readonly #routes: RouteCache<Route>;
  readonly #shares: Shares;
  readonly #store: Store;
  readonly #hooks: Hooks;
  readonly #limits: Limits;
  readonly #retained: RetainedDelivery;
  readonly #log: Logger;

  constructor(parts: {
    readonly tree: SubscriptionTree<Subscriber>;
    readonly routes: RouteCache<Route>;
    readonly shares: Shares;
    readonly store: Store;
    readonly hooks: Hooks;
    readonly limits: Limits;
    readonly retained: RetainedDelivery;
    readonly log: Logger;
  }) {
    this.#tree = parts.tree;
    this.#routes = parts.routes;
    this.#shares = parts.shares;
    this.#store = parts.store;
    this.#hooks = parts.hooks;
    this.#limits = parts.limits;
    this.#retained = parts.retained;
    this.#log = parts.log;
  }

  authorize(connection: Connection, subscribe: Subscribe): Decision<readonly ReasonCode[]> {
    this.#checkCount(subscribe.entries.length);
    const { authorizeSubscribe } = this.#hooks;
    if (authorizeSubscribe.empty) return subscribe.entries.map(() => ReasonCode.Success);
    const client = clientView(connection);
    const decisions = subscribe.entries.map((entry) => authorizeSubscribe.run(client, entry));
    return decisions.some((decision) => decision instanceof Promise)
      ? Promise.all(decisions)
      : (decisions as ReasonCode[]);
  }

  /** One reason code for each filter, in order. [MQTT-3.8.4-6] */
  subscribe(
    connection: Connection,
    subscribe: Subscribe,
    authorizations: readonly ReasonCode[],
  ): readonly ReasonCode[] {
    const { subscriptionIdentifier } = subscribe;
    if (
      subscriptionIdentifier !== undefined &&
      !connection.limits.subscriptionIdentifiersAvailable
    ) {
      throw new ProtocolViolation(
        ReasonCode.SubscriptionIdentifiersNotSupported,
        'Subscription Identifiers are switched off on this server',
      );
    }
    this.ticket = 0;
    const codes = subscribe.entries.map((entry, i) => {
      const authorization = authorizations[i]!;
      if (isFailure(authorization)) return authorization;
      return this.#subscribeOne(connection, entry, subscriptionIdentifier ?? 0);
    });
    this.#tellRefused(connection, codes);
    return codes;
  }

  /** What limits refuse; denials by rules are told by those. */
  #tellRefused(connection: Connection, codes: readonly ReasonCode[]): void {
    const refused = codes.filter((code) => LIMIT_CODES.includes(code));
    const code = refused[0];
    if (code === undefined) return;
    const { clientIdentifier: client, network } = connection;
    const { address } = network.peer;
    const count = refused.length;
    const why = code === ReasonCode.QuotaExceeded ? 'it has too many' : 'limits do not allow them';
    this.#log.warn(
      { event: 'subscription_refused', client, address, code, count },
      `${count} of ${codes.length} subscriptions of client ${client} were refused: ${why}`,
    );
  }

  unsubscribe(connection: Connection, unsubscribe: Unsubscribe): readonly ReasonCode[] {
    const session = connection.session!;
    this.#checkCount(unsubscribe.topicFilters.length);
    // Also where nothing is removed now: it may have been a moment ago, on an earlier connection.
    this.ticket = session.isStored ? this.#store.openTicket : 0;
    return unsubscribe.topicFilters.map((topicFilter) => {
      if (this.#parse(topicFilter) === undefined) return ReasonCode.TopicFilterInvalid;
      const subscription = session.subscriptions.get(topicFilter);
      if (subscription === undefined) return ReasonCode.NoSubscriptionExisted;
      if (connection.access?.mayUnsubscribe(topicFilter) === false) return ReasonCode.NotAuthorized;
      this.revoke(subscription);
      if (!this.#hooks.unsubscribed.empty) {
        this.#hooks.unsubscribed.run({ client: clientView(connection), topicFilter });
      }
      return ReasonCode.Success;
    });
  }

  /** More at once would hold up all other clients. */
  #checkCount(filters: number): void {
    const max = Math.max(this.#limits.subscriptionsPerSessionMax, FILTERS_ALLOWED);
    if (filters <= max) return;
    throw new ProtocolViolation(
      ReasonCode.QuotaExceeded,
      `${filters} Topic Filters in one packet are more than the ${max} that are carried out at once`,
    );
  }

  /** A Subscription that the store already has. */
  restore(session: Session, stored: StoredSubscription): void {
    const parsed = parseTopicFilter(stored.topicFilter, this.#limits);
    if (parsed !== undefined) this.#add(session, stored, parsed, false);
  }

  /** Takes a Subscription out of the tree and of its Session; the store is the caller's. */
  remove(subscription: Subscription): void {
    const { topicFilter, session } = subscription;
    if (session.deleteSubscription(topicFilter)) {
      session.subscriptionBytes -= bytesOf(topicFilter);
      this.#deepLevels -= deepWildcardLevels(topicFilter);
    }
    const parsed = parseTopicFilter(topicFilter, this.#limits);
    if (parsed === undefined) return;
    if (parsed.shareName === undefined) this.#tree.remove(topicFilter, subscription);
    else {
      const emptied = this.#shares.leave(subscription);
      if (emptied === undefined) return;
      this.#tree.remove(parsed.topicFilter, emptied);
    }
    this.#routes.filterChanged(parsed.topicFilter);
  }

  /** The same with all that is stored of it and still to be sent for it. */
  revoke(subscription: Subscription): void {
    const { session, topicFilter } = subscription;
    this.remove(subscription);
    this.#retained.unsubscribed(session, topicFilter);
    if (session.isStored) this.#store.removeSubscription(session.number, topicFilter);
  }

  /** Its client's rights have changed: all or some of what it matches may be received. */
  filter(subscription: Subscription, isFiltered: boolean): void {
    if (!isFiltered && !subscription.isFiltered) return;
    subscription.isFiltered = isFiltered;
    const parsed = parseTopicFilter(subscription.topicFilter, this.#limits);
    if (parsed === undefined) return;
    if (parsed.shareName !== undefined)
      this.#shares.get(subscription.topicFilter)!.isFiltered = true;
    else this.#routes.filterChanged(parsed.topicFilter);
  }

  #subscribeOne(connection: Connection, entry: SubscribeEntry, identifier: number): ReasonCode {
    const session = connection.session!;
    const { access } = connection;
    const asked = access && this.#grant(access, entry);
    if (asked?.qosMax === DENIED) return ReasonCode.NotAuthorized;
    let request = entry;
    if (!this.#hooks.changeSubscribe.empty) {
      const changed = this.#hooks.changeSubscribe.run(clientView(connection), entry);
      if (typeof changed === 'number') return changed;
      request = changed;
    }
    const parsed = this.#parse(request.topicFilter);
    const refusal = this.#refusal(connection, request, parsed);
    if (refusal !== undefined || parsed === undefined) {
      return refusal ?? ReasonCode.TopicFilterInvalid;
    }
    const granted = Math.min(request.options.qos, connection.limits.qosMax);
    const qos = Math.min(granted, asked?.qosMax ?? granted) as 0 | 1 | 2;
    const stored: StoredSubscription = {
      topicFilter: request.topicFilter,
      options: { ...request.options, qos },
      subscriptionIdentifier: identifier > 0 ? identifier : undefined,
    };
    const existed = session.subscriptions.has(request.topicFilter);
    const isFiltered = this.#isFiltered(access, asked, entry, request);
    const subscription = this.#add(session, stored, parsed, isFiltered);
    if (session.isStored) {
      this.#store.putSubscription(session.number, stored);
      this.ticket = this.#store.openTicket;
    }
    this.#retained.begin(connection, subscription, parsed, existed);
    if (!this.#hooks.subscribed.empty) {
      this.#hooks.subscribed.run({ client: clientView(connection), ...request });
    }
    return qos; // [MQTT-3.9.3-1]
  }

  #grant(access: ClientAccess, { topicFilter }: SubscribeEntry): SubscriptionGrant | undefined {
    const parsed = this.#parse(topicFilter);
    return parsed && access.subscribe(parsed.topicFilter);
  }

  /** What hooks made of the filter is not asked about again, but what it matches is. */
  #isFiltered(
    access: ClientAccess | undefined,
    asked: SubscriptionGrant | undefined,
    entry: SubscribeEntry,
    request: SubscribeEntry,
  ): boolean {
    if (access === undefined || asked === undefined) return false;
    if (request.topicFilter === entry.topicFilter) return asked.isPartial;
    const parsed = this.#parse(request.topicFilter);
    return parsed === undefined || access.judge(parsed.topicFilter).isPartial;
  }

  /**
   * Undefined where the filter is beyond the limits; one that is no Topic Filter ends the
   * connection.
   */
  #parse(topicFilter: string): TopicFilter | undefined {
    const parsed = parseTopicFilter(topicFilter, this.#limits);
    if (parsed !== undefined || parseTopicFilter(topicFilter, PROTOCOL_LIMITS) !== undefined) {
      return parsed;
    }
    throw new ProtocolViolation(
      ReasonCode.TopicFilterInvalid,
      `"${topicFilter}" is not a Topic Filter: + and # stand alone in a level, # in the last one`,
      'MQTT-4.7.1-1',
    );
  }

  #refusal(
    connection: Connection,
    request: SubscribeEntry,
    parsed: TopicFilter | undefined,
  ): ReasonCode | undefined {
    const session = connection.session!;
    const limits = this.#limits;
    if (parsed === undefined) return ReasonCode.TopicFilterInvalid;
    if (parsed.shareName !== undefined && !connection.limits.sharedSubscriptionAvailable) {
      return ReasonCode.SharedSubscriptionsNotSupported;
    }
    if (parsed.hasWildcard && !connection.limits.wildcardSubscriptionAvailable) {
      return ReasonCode.WildcardSubscriptionsNotSupported;
    }
    const bytes = session.subscriptionBytes + bytesOf(request.topicFilter);
    const deep = deepWildcardLevels(request.topicFilter);
    const isFull =
      (deep > 0 && this.#deepLevels + deep > limits.deepWildcardLevelsMax) ||
      session.subscriptions.size >= limits.subscriptionsPerSessionMax ||
      bytes > limits.subscriptionBytesPerSessionMax;
    if (isFull && !session.subscriptions.has(request.topicFilter)) return ReasonCode.QuotaExceeded;
    return undefined;
  }

  /** Replaces a Subscription with the same filter. [MQTT-3.8.4-3] */
  #add(
    session: Session,
    stored: StoredSubscription,
    parsed: TopicFilter,
    isFiltered: boolean,
  ): Subscription {
    const old = session.subscriptions.get(stored.topicFilter);
    if (old !== undefined) this.remove(old);
    const subscription: Subscription = {
      session,
      topicFilter: stored.topicFilter,
      options: sharedOptions(stored.options),
      identifier: stored.subscriptionIdentifier ?? 0,
      isFiltered,
    };
    session.setSubscription(subscription);
    session.subscriptionBytes += bytesOf(stored.topicFilter);
    this.#deepLevels += deepWildcardLevels(stored.topicFilter);
    if (parsed.shareName === undefined) this.#tree.insert(parsed.topicFilter, subscription);
    else {
      const { share, created } = this.#shares.join(subscription, parsed.topicFilter);
      if (!created) return subscription;
      this.#tree.insert(parsed.topicFilter, share);
    }
    this.#routes.filterChanged(parsed.topicFilter);
    return subscription;
  }
}

/** What a filter counts: its characters, and what it takes in the tree of those with wildcards. */
function bytesOf(topicFilter: string): number {
  return topicFilter.length + deepWildcardLevels(topicFilter) * LEVEL_BYTES;
}

function deepWildcardLevels(topicFilter: string): number {
  return hasWildcards(topicFilter) ? deepLevels(topicFilter) : 0;
}
