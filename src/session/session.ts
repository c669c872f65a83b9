import { TimerEntry } from '../base/clock.js';
import type { Connect, Disconnect, ProtocolVersion, WillMessage } from '../wire/control-packet.js';
import { ProtocolViolation } from '../wire/protocol-violation.js';
import { ReasonCode } from '../wire/reason-code.js';
import type { ClientAccess } from './client-access.js';
import type { Connection } from './connection.js';
import type { OutboundContext } from './outbound-context.js';
import { OutboundFlow } from './outbound-flow.js';
import type { Subscription } from './subscription.js';
import {
  NO_SUBSCRIPTIONS,
  type Subscriptions,
  withoutSubscription,
  withSubscription,
} from './subscriptions.js';

/** Session Expiry Interval of a Session that never expires (5.0, section 3.1.2.11.2). */
export const NEVER_ENDS = 0xffff_ffff;

/** The timer of a Session, which knows whose it is: one function serves all Sessions. */
export class SessionTimer extends TimerEntry {
  readonly session: Session;

  constructor(session: Session, fire: (timer: TimerEntry) => void) {
    super(fire);
    this.session = session;
  }
}

/**
 * Session State (section 4.1): what is kept for a Client Identifier, with or without a connection.
 */
export class Session {
  readonly clientIdentifier: string;
  /**
   * The store's number for its record; 0 while it has none: no will, and it ends with its
   * connection.
   */
  recordNumber = 0;
  userName: string | undefined = undefined;
  protocolVersion: ProtocolVersion = 4;
  /** 0 ends with its Network Connection. */
  expirySeconds = 0;
  connection: Connection | undefined = undefined;
  /** What its client may do, also while it is away; undefined where no rules are. */
  access: ClientAccess | undefined = undefined;
  /** Unix epoch milliseconds; 0 while connected. */
  disconnectedAtWallMs = 0;
  will: WillMessage | undefined = undefined;
  /** Unix epoch milliseconds; 0 while no will is delayed. */
  willDueWallMs = 0;
  /** Retained messages for new Subscriptions wait for quota or for the socket. */
  awaitsRetained = false;
  /** By Topic Filter as the client wrote it. */
  subscriptions: Subscriptions = NO_SUBSCRIPTIONS;
  /** Characters of their Topic Filters. */
  subscriptionBytes = 0;
  readonly outbound: OutboundFlow;
  /** Fires when a delayed will or the end of the Session is due; made when one first is. */
  timer: SessionTimer | undefined = undefined;
  /** Inbound QoS 2 identifiers that wait for PUBREL. */
  #received: Set<number> | undefined = undefined;

  constructor(clientIdentifier: string, context: OutboundContext) {
    this.clientIdentifier = clientIdentifier;
    this.outbound = new OutboundFlow(context, clientIdentifier);
  }

  /** The store's number for its subscriptions, queue and exchanges. */
  get number(): number {
    return this.outbound.queue.sessionNumber;
  }

  /** Outlives its Network Connection, so all of it is in the store. */
  get isStored(): boolean {
    return this.outbound.queue.isStored;
  }

  setSubscription(subscription: Subscription): void {
    this.subscriptions = withSubscription(this.subscriptions, subscription);
  }

  deleteSubscription(topicFilter: string): boolean {
    if (!this.subscriptions.has(topicFilter)) return false;
    this.subscriptions = withoutSubscription(this.subscriptions, topicFilter);
    return true;
  }

  get receivedCount(): number {
    return this.#received?.size ?? 0;
  }

  hasReceived(packetIdentifier: number): boolean {
    return this.#received?.has(packetIdentifier) ?? false;
  }

  markReceived(packetIdentifier: number): void {
    this.#received ??= new Set();
    this.#received.add(packetIdentifier);
  }

  forgetReceived(packetIdentifier: number): boolean {
    return this.#received?.delete(packetIdentifier) ?? false;
  }
}

/**
 * A Session Expiry Interval in the client's DISCONNECT replaces that of CONNECT (5.0, section
 * 3.14.2.2.2).
 */
export function applyClientExpiry(
  disconnect: Disconnect,
  connect: Connect,
  session: Session | undefined,
  secondsMax: number,
): void {
  const asked = disconnect.sessionExpiryIntervalSeconds;
  if (session === undefined || asked === undefined) return;
  if (connect.sessionExpiryIntervalSeconds === 0 && asked > 0) {
    throw new ProtocolViolation(
      ReasonCode.ProtocolError,
      'DISCONNECT asks for a Session Expiry Interval although CONNECT had none',
      'MQTT-3.1.2-23',
    );
  }
  session.expirySeconds = Math.min(asked, secondsMax);
}
