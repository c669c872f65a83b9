import type { QueuePosition, SessionStore, StoreFailure } from '../session/session-store.js';
import type { ApplicationMessage } from '../wire/application-message.js';
import type { ProtocolVersion, SubscriptionOptions, WillMessage } from '../wire/control-packet.js';

/** What is stored of a Session beside its subscriptions, queue and exchanges. */
export interface SessionRecord {
  readonly sessionNumber: number;
  readonly clientIdentifier: string;
  readonly userName: string | undefined;
  readonly protocolVersion: ProtocolVersion;
  /** 0 for a Session stored only for its will; 0xFFFFFFFF never expires. */
  readonly sessionExpiryIntervalSeconds: number;
  readonly connected: boolean;
  /** Unix epoch milliseconds of the last disconnection; 0 while connected. */
  readonly disconnectedAtWallMs: number;
  readonly will: WillMessage | undefined;
  /**
   * Unix epoch milliseconds at which a delayed will is due; 0 while connected or without a will.
   */
  readonly willDueWallMs: number;
}

export interface StoredSubscription {
  /** As the client wrote it, `$share/…` included. */
  readonly topicFilter: string;
  readonly options: SubscriptionOptions;
  readonly subscriptionIdentifier: number | undefined;
}

/** What is known of a device beyond its Session, as numbers whose order only grows at its end. */
export interface DeviceRecord {
  readonly clientIdentifier: string;
  readonly fingerprint: string;
  readonly numbers: readonly number[];
  /** How many acknowledgements took how long. */
  readonly latencies: readonly number[];
  readonly ends: ReadonlyMap<string, number>;
}

/** What the broker needs durable. As in `SessionStore`, each method joins the open batch. */
export interface Store extends SessionStore {
  /** Bytes put and not yet durable. Above the broker's limit publishers are not read. */
  readonly pendingBytes: number;
  /** Latched: set once, and `committed` is never called again. */
  readonly failure: StoreFailure | undefined;

  nextSessionNumber(): number;
  /** Creates or replaces the record. */
  putSession(record: SessionRecord): void;
  /** Removes the record and everything under its number: subscriptions, queue, exchanges. */
  removeSession(record: SessionRecord): void;
  putSubscription(sessionNumber: number, subscription: StoredSubscription): void;
  removeSubscription(sessionNumber: number, topicFilter: string): void;
  putRetained(message: ApplicationMessage): void;
  removeRetained(topicName: string): void;
  /** Creates or replaces the record, some time: nobody waits for it. */
  putDevice(record: DeviceRecord): void;
  removeDevice(clientIdentifier: string): void;
}

/** Receives what a store held when it was opened: each session first, then what belongs to it. */
export interface Recovery {
  session(record: SessionRecord, queue: Omit<QueuePosition, 'sessionNumber'>): void;
  subscription(sessionNumber: number, subscription: StoredSubscription): void;
  /** An outbound exchange, in order of sequence; `released` when PUBREC had come. */
  exchange(
    sessionNumber: number,
    packetIdentifier: number,
    sequence: number,
    released: boolean,
  ): void;
  /** An inbound QoS 2 identifier that still waits for PUBREL. */
  received(sessionNumber: number, packetIdentifier: number): void;
  retained(message: ApplicationMessage): void;
  device(record: DeviceRecord): void;
}
