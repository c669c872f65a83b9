import type { QoS } from '../wire/control-packet.js';

/** A QoS that is the highest allowed; `DENIED` where there is none. */
export type AllowedQoS = QoS | typeof DENIED;

/** Instead of a QoS: not at all. */
export const DENIED = -1;

/** What becomes of a Topic Filter that a client asks for. */
export interface SubscriptionGrant {
  readonly qosMax: AllowedQoS;
  /** Some of what the filter matches may not be received, or not at `qosMax`. */
  readonly isPartial: boolean;
}

/**
 * What one client may do, as its rules were when it connected or when they changed last. There is
 * none where no rules are: then nothing is asked.
 */
export interface ClientAccess {
  /** What it denies it also tells the log. */
  mayPublish(topicName: string, qos: QoS, retain: boolean): boolean;
  /** For a Topic Filter without `$share/{ShareName}/`; what it denies it also tells the log. */
  subscribe(topicFilter: string): SubscriptionGrant;
  mayUnsubscribe(topicFilter: string): boolean;
  /** The same as `subscribe`, for a Subscription that is there; nothing is logged. */
  judge(topicFilter: string): SubscriptionGrant;
  /** For each message; what was decided for a Topic Name before is remembered. */
  receiveQoS(topicName: string): AllowedQoS;
}
