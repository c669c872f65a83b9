import { z } from 'zod';
import { defaultLimits, type Limits } from '../session/limits.js';
import type { ShareStrategy } from '../topic/shared-subscription.js';
import type { ListenAddress } from '../transport/listener.js';
import {
  count,
  listenUrl,
  oneOf,
  protocolVersion,
  seconds,
  shown,
  size,
  text,
  yesOrNo,
} from './config-values.js';

export type Durability = 'power' | 'process' | 'memory';
export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';
export type LogFormat = 'auto' | 'human' | 'json';

export interface ListenConfig {
  readonly url: ListenAddress;
  readonly lenientReceiveMaximum: boolean;
  readonly versions: readonly (3 | 4 | 5)[];
  readonly origins: readonly string[] | undefined;
}

export interface Config {
  readonly listen: readonly ListenConfig[];
  readonly data: string;
  readonly inMemory: boolean;
  readonly durability: Durability;
  readonly allowAnonymous: boolean;
  readonly logLevel: LogLevel;
  readonly logFormat: LogFormat;
  /** Which member of a Shared Subscription gets a message. */
  readonly sharingStrategy: ShareStrategy;
  readonly limits: Limits;
}

const UINT16_MAX = 65_535;
const UINT32_MAX = 4_294_967_295;
const COUNT_MAX = 1_000_000_000;
const BYTES_MAX = 2 ** 50;
/** Clients exist that cannot be told more than this as Maximum Packet Size. */
const PACKET_BYTES_MAX = 268_435_455;

const limits: z.ZodType<Limits> = z.object({
  packetBytesMax: size(1024, PACKET_BYTES_MAX).default(defaultLimits.packetBytesMax),
  receiveMaximum: count(1, UINT16_MAX).default(defaultLimits.receiveMaximum),
  topicAliasMaximum: count(0, UINT16_MAX).default(defaultLimits.topicAliasMaximum),
  outboundTopicAliasMaximum: count(0, UINT16_MAX).default(defaultLimits.outboundTopicAliasMaximum),
  qosMax: (count(0, 2) as z.ZodType<0 | 1 | 2>).default(defaultLimits.qosMax),
  retainAvailable: yesOrNo().default(defaultLimits.retainAvailable),
  wildcardSubscriptionAvailable: yesOrNo().default(defaultLimits.wildcardSubscriptionAvailable),
  subscriptionIdentifiersAvailable: yesOrNo().default(
    defaultLimits.subscriptionIdentifiersAvailable,
  ),
  sharedSubscriptionAvailable: yesOrNo().default(defaultLimits.sharedSubscriptionAvailable),
  keepAliveSecondsMax: seconds(0, UINT16_MAX).default(defaultLimits.keepAliveSecondsMax),
  sessionExpirySecondsMax: seconds(0, UINT32_MAX).default(defaultLimits.sessionExpirySecondsMax),
  legacySessionExpirySeconds: seconds(0, UINT32_MAX).default(
    defaultLimits.legacySessionExpirySeconds,
  ),
  connectSecondsMax: seconds(1, 3600).default(defaultLimits.connectSecondsMax),
  legacyInFlightMax: count(1, UINT16_MAX).default(defaultLimits.legacyInFlightMax),
  inFlightMax: count(1, UINT16_MAX).default(defaultLimits.inFlightMax),
  queuedMessagesMax: count(1, COUNT_MAX).default(defaultLimits.queuedMessagesMax),
  queuedBytesMax: size(1, BYTES_MAX).default(defaultLimits.queuedBytesMax),
  queueOverflow: oneOf('drop-oldest', 'drop-newest', 'refuse').default(defaultLimits.queueOverflow),
  queueQoS0: yesOrNo().default(defaultLimits.queueQoS0),
  outboxBytesMax: size(1024, BYTES_MAX).default(defaultLimits.outboxBytesMax),
  sessionsMax: count(1, COUNT_MAX).default(defaultLimits.sessionsMax),
  subscriptionsPerSessionMax: count(1, COUNT_MAX).default(defaultLimits.subscriptionsPerSessionMax),
  subscriptionBytesPerSessionMax: size(1, BYTES_MAX).default(
    defaultLimits.subscriptionBytesPerSessionMax,
  ),
  retainedMessagesMax: count(0, COUNT_MAX).default(defaultLimits.retainedMessagesMax),
  retainedBytesMax: size(0, BYTES_MAX).default(defaultLimits.retainedBytesMax),
  topicLevelsMax: count(1, UINT16_MAX).default(defaultLimits.topicLevelsMax),
  topicBytesMax: size(1, UINT16_MAX).default(defaultLimits.topicBytesMax),
  clientIdentifierBytesMax: size(1, UINT16_MAX).default(defaultLimits.clientIdentifierBytesMax),
  connectionsMax: count(1, COUNT_MAX).default(defaultLimits.connectionsMax),
  connectionsPerAddressMax: count(1, COUNT_MAX).default(defaultLimits.connectionsPerAddressMax),
  storePendingBytesMax: size(1024, BYTES_MAX).default(defaultLimits.storePendingBytesMax),
  checkPayloadFormat: yesOrNo().default(defaultLimits.checkPayloadFormat),
} satisfies Record<keyof Limits, z.ZodType>);

const listener = z.object({
  url: listenUrl(),
  lenientReceiveMaximum: yesOrNo().default(false),
  versions: list(protocolVersion()).default([3, 4, 5]),
  origins: list(text('an origin such as https://example.org')).optional(),
});

const schema = z.object({
  listen: z.array(listener, 'expected a list of URLs'),
  data: text('a folder').default('./dunlin-data'),
  inMemory: yesOrNo().default(false),
  durability: oneOf('power', 'process', 'memory').default('power'),
  allowAnonymous: yesOrNo().default(false),
  logLevel: oneOf('debug', 'info', 'warn', 'error', 'silent').default('info'),
  logFormat: oneOf('auto', 'human', 'json').default('auto'),
  sharingStrategy: oneOf(
    'round-robin',
    'random',
    'sticky',
    'least-inflight',
    'hash-client',
    'hash-topic',
  ).default('round-robin'),
  limits: limits.prefault({} as Limits),
} satisfies Record<keyof Config, z.ZodType>);

function list<T>(item: z.ZodType<T>): z.ZodType<T[]> {
  return z.array(item, { error: ({ input }) => `expected a list, not ${shown(input)}` }).min(1, {
    error: 'expected at least one',
  });
}

/** The names that may be written at each place, as the code spells them. */
export const configNames: {
  readonly top: readonly string[];
  readonly limits: readonly string[];
  readonly listener: readonly string[];
} = {
  top: Object.keys(schema.shape),
  limits: Object.keys(defaultLimits),
  listener: Object.keys(listener.shape),
};

export interface ConfigFault {
  readonly path: readonly (string | number)[];
  readonly expectation: string;
}

/** The configuration with all defaults filled in, or everything that is wrong with it. */
export function parseConfig(value: unknown): Config | readonly ConfigFault[] {
  const result = schema.safeParse(value);
  if (result.success) return deepFreeze(result.data as Config);
  return result.error.issues.map((issue) => ({
    path: issue.path.map((step) => (typeof step === 'number' ? step : String(step))),
    expectation: issue.message,
  }));
}

function deepFreeze<T extends object>(value: T): T {
  for (const inner of Object.values(value)) {
    if (typeof inner === 'object' && inner !== null) deepFreeze(inner);
  }
  return Object.freeze(value);
}
