import type { Clock } from '../base/clock.js';
import { type ApplicationMessage, NEVER_EXPIRES } from '../wire/application-message.js';
import { type ClientAccess, DENIED } from './client-access.js';

export const DeliveryState = {
  /** Waiting for quota or for the client. */
  Queued: 0,
  /** Has a Packet Identifier; PUBLISH is sent, or held until its record is durable. */
  InFlight: 1,
  /** QoS 2: PUBREC came, PUBREL is sent. */
  Released: 2,
} as const;
export type DeliveryState = (typeof DeliveryState)[keyof typeof DeliveryState];

const NO_IDENTIFIERS: readonly number[] = [];

/** One message on its way to one Session: what is the Session's own beside the shared message. */
export class Delivery {
  /**
   * Undefined when the Session ends with its connection, so nothing is ever sent again, and once
   * released.
   */
  message: ApplicationMessage | undefined;
  /** As granted: never above the message's own. */
  readonly qos: 0 | 1 | 2;
  /** The RETAIN flag to send. */
  readonly retain: boolean;
  readonly subscriptionIdentifiers: readonly number[];
  /** The place in the Session's queue, rising by one; 0 in a Session that is not stored. */
  sequence = 0;
  packetIdentifier = 0;
  state: DeliveryState = DeliveryState.Queued;
  /** PUBLISH was sent on an earlier connection, so DUP is set. [MQTT-3.3.1-1] */
  sentBefore = false;
  /** Not to be sent before the store's batch with this ticket is durable; 0 is at once. */
  holdTicket = 0;
  /**
   * The share it came through (`$share/name/filter`), so that it can be given to another member.
   */
  share: string | undefined = undefined;
  /** When PUBLISH left on this connection, on the monotonic clock; 0 while it has not. */
  sentMs = 0;
  /** Rises with each delivery of a connection that is in flight. */
  sentOrder = 0;
  /** Length of the PUBLISH packet as it was sent. */
  sentBytes = 0;
  /** Belongs to the store: its records of this delivery. */
  stored: unknown = undefined;

  constructor(
    message: ApplicationMessage | undefined,
    qos: 0 | 1 | 2,
    retain: boolean,
    subscriptionIdentifiers: readonly number[] = NO_IDENTIFIERS,
  ) {
    this.message = message;
    this.qos = qos;
    this.retain = retain;
    this.subscriptionIdentifiers = subscriptionIdentifiers;
  }
}

/** Whether Message Expiry Interval has passed before the message was ever sent. */
export function hasExpired(delivery: Delivery, clock: Clock): boolean {
  const { expiresAtWallMs } = delivery.message!;
  if (expiresAtWallMs === NEVER_EXPIRES || delivery.sentBefore) return false;
  return expiresAtWallMs <= clock.wallMs(); // [MQTT-3.3.2-5]
}

/**
 * Whether its client may not receive it any more. One that was sent before is finished: the client
 * has it, or is about to.
 */
export function isForbidden(delivery: Delivery, access: ClientAccess | undefined): boolean {
  if (access === undefined || delivery.sentBefore) return false;
  return access.receiveQoS(delivery.message!.topicName) === DENIED;
}
