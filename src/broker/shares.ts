import type { Random } from '../base/random.js';
import { DENIED } from '../session/client-access.js';
import type { Statistics } from '../session/statistics.js';
import { qosFor, type Subscription } from '../session/subscription.js';
import {
  ShareGroup,
  type ShareMemberView,
  type ShareStrategy,
} from '../topic/shared-subscription.js';

/** The members of one Shared Subscription: one ShareName and one filter (5.0, section 4.8.2). */
export class Share {
  /** `$share/{ShareName}/{filter}`. */
  readonly name: string;
  readonly topicFilter: string;
  readonly group: ShareGroup<Subscription>;
  /** Some member may not receive all that the filter matches, or could not once. */
  isFiltered = false;

  constructor(name: string, topicFilter: string, strategy: ShareStrategy) {
    this.name = name;
    this.topicFilter = topicFilter;
    this.group = new ShareGroup(strategy);
  }
}

class View implements ShareMemberView<Subscription> {
  readonly #statistics: Statistics;

  constructor(statistics: Statistics) {
    this.#statistics = statistics;
  }

  get arrivals(): number {
    return this.#statistics.connectionsAccepted;
  }

  online(member: Subscription): boolean {
    return member.session.connection !== undefined;
  }

  inFlight({ session: { outbound } }: Subscription): number {
    return outbound.inFlight + outbound.waiting;
  }
}

/** The same for one message, where a member may not receive everything, or has no room. */
class FilteredView extends View {
  readonly #topicName: string;
  readonly #bytes: number;

  constructor(statistics: Statistics, topicName: string, bytes: number) {
    super(statistics);
    this.#topicName = topicName;
    this.#bytes = bytes;
  }

  takes(member: Subscription): boolean {
    const granted = qosFor(member, this.#topicName);
    if (granted === DENIED) return false;
    return granted === 0 || this.#bytes === 0 || !member.session.outbound.refuses(this.#bytes);
  }
}

/** All Shared Subscriptions, by their full name. */
export class Shares {
  readonly #shares = new Map<string, Share>();
  readonly #strategy: ShareStrategy;
  readonly #random: Random;
  readonly #statistics: Statistics;
  readonly #view: View;

  constructor(strategy: ShareStrategy, random: Random, statistics: Statistics) {
    this.#strategy = strategy;
    this.#random = random;
    this.#statistics = statistics;
    this.#view = new View(statistics);
  }

  /**
   * Joins the share, which is made if it is new: then `created` is true and it must be put into the
   * tree.
   */
  join(subscription: Subscription, topicFilter: string): { share: Share; created: boolean } {
    const { topicFilter: name, session } = subscription;
    let share = this.#shares.get(name);
    const created = share === undefined;
    if (share === undefined) {
      share = new Share(name, topicFilter, this.#strategy);
      this.#shares.set(name, share);
    }
    share.group.add(subscription, session.clientIdentifier);
    if (subscription.isFiltered) share.isFiltered = true;
    return { share, created };
  }

  /** Returns the share when it is empty now and must be taken out of the tree. */
  leave(subscription: Subscription): Share | undefined {
    const share = this.#shares.get(subscription.topicFilter);
    if (share === undefined) return undefined;
    share.group.remove(subscription);
    if (share.group.size > 0) return undefined;
    this.#shares.delete(share.name);
    return share;
  }

  get(name: string): Share | undefined {
    return this.#shares.get(name);
  }

  /** One member, an online one where there is any; `excluded` when another is to be found. */
  choose(
    share: Share,
    topicName: string,
    publisher: string,
    excluded?: Subscription,
  ): Subscription | undefined {
    const view = share.isFiltered ? new FilteredView(this.#statistics, topicName, 0) : this.#view;
    return share.group.choose(topicName, publisher, view, this.#random, excluded);
  }

  /** One member whose queue takes so many bytes more. */
  chooseWithRoom(
    share: Share,
    topicName: string,
    publisher: string,
    bytes: number,
  ): Subscription | undefined {
    const view = new FilteredView(this.#statistics, topicName, bytes);
    return share.group.choose(topicName, publisher, view, this.#random);
  }
}
