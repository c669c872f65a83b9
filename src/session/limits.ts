import type { MountPoint } from './mount-point.js';
import type { Rates } from './rates.js';

/** What happens to a message for a Session whose queue is full. */
export type OverflowRule = 'drop-oldest' | 'drop-newest' | 'refuse';

/**
 * Every bound of the broker, with its unit in its name. `defaultLimits` has the values and the
 * reasons.
 */
export interface Limits {
  /** Largest packet accepted, announced as Maximum Packet Size. */
  readonly packetBytesMax: number;
  /**
   * QoS 1 and 2 messages a client may have unacknowledged, announced as Receive Maximum. Beyond it,
   * QoS 1 is not read until acknowledgements have left, and QoS 2 ends the connection.
   */
  readonly receiveMaximum: number;
  /** Topic Aliases a client may use, announced as Topic Alias Maximum. */
  readonly topicAliasMaximum: number;
  /** Topic Aliases used towards a client, below what it allows. */
  readonly outboundTopicAliasMaximum: number;
  /** Highest QoS accepted, announced as Maximum QoS below 2. */
  readonly qosMax: 0 | 1 | 2;
  readonly retainAvailable: boolean;
  readonly wildcardSubscriptionAvailable: boolean;
  readonly subscriptionIdentifiersAvailable: boolean;
  readonly sharedSubscriptionAvailable: boolean;
  /**
   * Longest Keep Alive; a client that asks for more or for none is told this one. 0 leaves it to
   * clients.
   */
  readonly keepAliveSecondsMax: number;
  /** Longest Session Expiry Interval granted in 5.0. */
  readonly sessionExpirySecondsMax: number;
  /** Session expiry of 3.1 and 3.1.1 clients with Clean Session 0, which cannot ask for one. */
  readonly legacySessionExpirySeconds: number;
  /** From accept to a whole CONNECT (and through enhanced authentication). */
  readonly connectSecondsMax: number;
  /**
   * QoS 1 and 2 messages in flight to a 3.1 or 3.1.1 client, which cannot name a Receive Maximum.
   */
  readonly legacyInFlightMax: number;
  /** QoS 1 and 2 messages in flight to a 5.0 client, below its Receive Maximum. */
  readonly inFlightMax: number;
  /** Messages waiting in one Session. */
  readonly queuedMessagesMax: number;
  /** Bytes of topic, payload and properties waiting in one Session. */
  readonly queuedBytesMax: number;
  /**
   * Memory for what waits in one Session that ends with its connection, and so is in no store. One
   * message may always wait.
   */
  readonly cleanQueuedBytesMax: number;
  readonly queueOverflow: OverflowRule;
  /** Whether QoS 0 messages wait for clients that are away. */
  readonly queueQoS0: boolean;
  /** Bytes waiting for one socket before QoS 0 is dropped and QoS 1 and 2 stay in the queue. */
  readonly outboxBytesMax: number;
  readonly sessionsMax: number;
  /** Of one user; of clients without a user name, of one address. */
  readonly sessionsPerUserMax: number;
  /**
   * Levels beyond the eighth of the Topic Filters with wildcards of all Sessions together: many of
   * them can be made to match on, level by level, for every new Topic Name.
   */
  readonly deepWildcardLevelsMax: number;
  readonly subscriptionsPerSessionMax: number;
  /** Characters of all Topic Filters of one Session. */
  readonly subscriptionBytesPerSessionMax: number;
  readonly retainedMessagesMax: number;
  readonly retainedBytesMax: number;
  readonly topicLevelsMax: number;
  readonly topicBytesMax: number;
  readonly clientIdentifierBytesMax: number;
  /** Whether a CONNECT without a Client Identifier is refused, instead of being assigned one. */
  readonly clientIdentifierRequired: boolean;
  /** What Client Identifiers must begin with, assigned ones too; any where there are none. */
  readonly clientIdentifierPrefixes: readonly string[];
  /** What assigned Client Identifiers begin with. */
  readonly assignedClientIdentifierPrefix: string;
  readonly connectionsMax: number;
  readonly connectionsPerAddressMax: number;
  /** Bytes put to the store and not yet durable before publishers are not read. */
  readonly storePendingBytesMax: number;
  /** Whether a Payload Format Indicator of 1 makes the payload be checked for UTF-8. */
  readonly checkPayloadFormat: boolean;
}

const KIB = 1024;
const MIB = 1024 * KIB;
const DAY_SECONDS = 86_400;

export const defaultLimits: Limits = {
  packetBytesMax: 8 * MIB,
  // MQTT.js sends all that an application gives it, whatever was announced.
  receiveMaximum: 4096,
  topicAliasMaximum: 64,
  outboundTopicAliasMaximum: 64,
  qosMax: 2,
  retainAvailable: true,
  wildcardSubscriptionAvailable: true,
  subscriptionIdentifiersAvailable: true,
  sharedSubscriptionAvailable: true,
  keepAliveSecondsMax: 0,
  sessionExpirySecondsMax: 90 * DAY_SECONDS,
  legacySessionExpirySeconds: 30 * DAY_SECONDS,
  connectSecondsMax: 10,
  // Small clients have small buffers: Mosquitto's 20 is what they are used to.
  legacyInFlightMax: 20,
  inFlightMax: 256,
  queuedMessagesMax: 100_000,
  queuedBytesMax: 256 * MIB,
  cleanQueuedBytesMax: 16 * MIB,
  queueOverflow: 'drop-oldest',
  queueQoS0: false,
  outboxBytesMax: 1 * MIB,
  sessionsMax: 100_000,
  sessionsPerUserMax: 100_000,
  deepWildcardLevelsMax: 250_000,
  // Home Assistant puts thousands of filters into one SUBSCRIBE.
  subscriptionsPerSessionMax: 20_000,
  subscriptionBytesPerSessionMax: 8 * MIB,
  retainedMessagesMax: 1_000_000,
  retainedBytesMax: 1024 * MIB,
  topicLevelsMax: 200,
  topicBytesMax: 65_535,
  clientIdentifierBytesMax: 65_535,
  clientIdentifierRequired: false,
  clientIdentifierPrefixes: [],
  assignedClientIdentifierPrefix: 'dunlin-',
  connectionsMax: 100_000,
  connectionsPerAddressMax: 100_000,
  storePendingBytesMax: 16 * MIB,
  checkPayloadFormat: false,
};

/**
 * The limits that a listener may have of its own. A connection keeps those it began with: they are
 * what its client was told.
 */
export const listenerLimitNames = [
  'packetBytesMax',
  'receiveMaximum',
  'topicAliasMaximum',
  'outboundTopicAliasMaximum',
  'qosMax',
  'retainAvailable',
  'wildcardSubscriptionAvailable',
  'subscriptionIdentifiersAvailable',
  'sharedSubscriptionAvailable',
  'keepAliveSecondsMax',
  'sessionExpirySecondsMax',
  'legacySessionExpirySeconds',
  'connectSecondsMax',
  'legacyInFlightMax',
  'inFlightMax',
  'connectionsPerAddressMax',
  'clientIdentifierRequired',
  'clientIdentifierPrefixes',
  'assignedClientIdentifierPrefix',
] as const;
export type ListenerLimits = Pick<Limits, (typeof listenerLimitNames)[number]>;

/** A listener's own and otherwise the broker's; a copy, since the broker's may change. */
export function listenerLimits(limits: Limits, own: Partial<ListenerLimits> = {}): ListenerLimits {
  const chosen = listenerLimitNames.map((name) => [name, own[name] ?? limits[name]]);
  return Object.fromEntries(chosen) as ListenerLimits;
}

/** What a listener decides for the connections that come through it. */
export interface ListenerPolicy {
  /** Tolerates clients that send more unacknowledged messages than Receive Maximum allows. */
  readonly lenientReceiveMaximum: boolean;
  /** Protocol levels accepted here. */
  readonly protocolVersions: readonly (3 | 4 | 5)[];
  /** Methods asked who a client is, in order; all that are configured without it. */
  readonly authentication?: readonly string[];
  /** Whether clients that show nothing are let in where methods are asked. */
  readonly allowAnonymous?: boolean;
  /** How late wrong credentials are answered; what is left out is as it is for all. */
  readonly guessing?: Guessing;
  /** In place of the common ones, of which it has those that are not its own. */
  readonly limits?: ListenerLimits;
  /** Connections through this listener; those through all listeners have a bound of their own. */
  readonly connectionsMax?: number;
  /** What may come in a second; undefined is unlimited. */
  readonly rates?: Rates;
  /** Where in the topic tree its clients live; undefined is the whole of it. */
  readonly mountPoint?: MountPoint;
}

/** What a listener says of wrong credentials. */
export interface Guessing {
  readonly freeAttempts?: number | undefined;
  readonly delaySecondsMax?: number | undefined;
}

export const defaultListenerPolicy: ListenerPolicy = {
  lenientReceiveMaximum: false,
  protocolVersions: [3, 4, 5],
};
