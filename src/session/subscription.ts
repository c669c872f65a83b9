import type { SubscriptionOptions } from '../wire/control-packet.js';
import type { Session } from './session.js';

/** A Subscription of one Session (section 3.8.3.1). */
export interface Subscription {
  readonly session: Session;
  /** As the client wrote it, `$share/…` included. */
  readonly topicFilter: string;
  readonly options: SubscriptionOptions;
  /** 0 when there is none. */
  readonly identifier: number;
}
