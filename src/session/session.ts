import { TimerEntry } from '../base/clock.js';
import type { Connect, Disconnect, ProtocolVersion, WillMessage } from '../wire/control-packet.js';
import { ProtocolViolation } from '../wire/protocol-violation.js';
import { ReasonCode } from '../wire/reason-code.js';
import type { ClientAccess } from './client-access.js';
import type { Connection } from './connection.js';
import type { OutboundContext } from './outbound-context.js';
import { OutboundFlow } from './outbound-flow.js';
import type { QueuePosition } from './session-store.js';
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

/** A user, or an address from which clients without a user name come. */
export interface SessionOwner {
  readonly name: string;
  readonly isUser: boolean;
  /** Sessions, connected or not. */
  count: number;
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
  /** Among whose Sessions it counts. */
  owner: SessionOwner | undefined = undefined;
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
  /** Fires when a delayed will or the end of the Session is due; there while that is near. */
  timer: SessionTimer | undefined = undefined;
  /** Outlives its Network Connection, so all of it is in the store. */
  isStored = false;
  readonly #context: OutboundContext;
  /** Undefined while the Session rests. */
  #outbound: OutboundFlow | undefined = undefined;
  /** Where the queue goes on that was let go. */
  #tailSequence = 1;
  /** Inbound QoS 2 identifiers that wait for PUBREL. */
  #received: Set<number> | undefined = undefined;

  constructor(clientIdentifier: string, context: OutboundContext) {
    this.clientIdentifier = clientIdentifier;
    this.#context = context;
  }

  /** The store's number for its subscriptions, queue and exchanges. */
  get number(): number {
    return this.isStored ? this.recordNumber : 0;
  }

  get outbound(): OutboundFlow {
    return this.#outbound ?? this.#wake();
  }

  /** The same, but undefined while the Session rests: it stays so. */
  get awake(): OutboundFlow | undefined {
    return this.#outbound;
  }

  /** Its queue stands there in the store. */
  restore(position: Omit<QueuePosition, 'sessionNumber'>): void {
    this.#tailSequence = position.tailSequence;
    if (position.count > 0) this.outbound.queue.restore(position);
  }

  /**
   * Lets go of the queue while nothing is in it: a Session whose client is away for long, or for
   * ever, keeps what the next message needs. What was put for it must be durable.
   */
  rest(): void {
    const outbound = this.#outbound;
    if (outbound === undefined || !this.isStored || !outbound.isAtRest) return;
    this.#tailSequence = outbound.queue.tailSequence;
    this.#outbound = undefined;
  }

  #wake(): OutboundFlow {
    const outbound = new OutboundFlow(this.#context, this.clientIdentifier);
    const { queue } = outbound;
    const at = this.#tailSequence;
    queue.sessionNumber = this.number;
    queue.restore({ headSequence: at, tailSequence: at, count: 0, bytes: 0 });
    this.#outbound = outbound;
    return outbound;
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
