import type { SubscriptionOptions } from '../wire/control-packet.js';
import type { AllowedQoS } from './client-access.js';
import type { Session } from './session.js';

/** A Subscription of one Session (section 3.8.3.1). */
export interface Subscription {
  readonly session: Session;
  /** As the client wrote it, `$share/…` included. */
  readonly topicFilter: string;
  readonly options: SubscriptionOptions;
  /** 0 when there is none. */
  readonly identifier: number;
  /**
   * It matches what its client may not receive, or not at that QoS: `session.access` is asked for
   * each Topic Name.
   */
  isFiltered: boolean;
}

const SHARED_OPTIONS: SubscriptionOptions[] = [];

/** The one object of all Subscriptions with these options; nobody writes to it. */
export function sharedOptions(options: SubscriptionOptions): SubscriptionOptions {
  const { qos, noLocal, retainAsPublished, retainHandling } = options;
  const at = qos | (noLocal ? 4 : 0) | (retainAsPublished ? 8 : 0) | (retainHandling << 4);
  SHARED_OPTIONS[at] ??= options;
  return SHARED_OPTIONS[at];
}

/** The highest QoS at which a message may come by this Subscription; `DENIED` when it may not. */
export function qosFor(subscription: Subscription, topicName: string): AllowedQoS {
  const { options, isFiltered, session } = subscription;
  if (!isFiltered) return options.qos;
  const allowed = session.access?.receiveQoS(topicName) ?? options.qos;
  return Math.min(allowed, options.qos) as AllowedQoS;
}
