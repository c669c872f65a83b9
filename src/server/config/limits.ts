import { defaultLimits, type Limits } from '../../session/limits.js';
import { count, oneOf, seconds, size, text, yesOrNo } from './values.js';
import { type Entry, key, list, section } from './vocabulary.js';

const UINT16_MAX = 65_535;
const UINT32_MAX = 4_294_967_295;
const COUNT_MAX = 1_000_000_000;
const BYTES_MAX = 2 ** 50;
/** Clients exist that cannot be told more than this as Maximum Packet Size. */
const PACKET_BYTES_MAX = 268_435_455;

/** Bounds of the whole broker. */
export const limits: Entry<Limits> = section<Limits>({
  packetBytesMax: key(
    size(1024, PACKET_BYTES_MAX),
    defaultLimits.packetBytesMax,
    'Largest packet accepted; 5.0 clients are told it as Maximum Packet Size.',
  ),
  receiveMaximum: key(
    count(1, UINT16_MAX),
    defaultLimits.receiveMaximum,
    'QoS 1 and 2 messages that a 5.0 client may have sent without an acknowledgement, told as Receive Maximum.',
  ),
  topicAliasMaximum: key(
    count(0, UINT16_MAX),
    defaultLimits.topicAliasMaximum,
    'Topic Aliases that a client may use, told as Topic Alias Maximum.',
  ),
  outboundTopicAliasMaximum: key(
    count(0, UINT16_MAX),
    defaultLimits.outboundTopicAliasMaximum,
    'Topic Aliases used towards a client, if it allows as many.',
  ),
  qosMax: key(
    count(0, 2) as Entry<0 | 1 | 2>,
    defaultLimits.qosMax,
    'Highest QoS accepted, told as Maximum QoS when below 2.',
  ),
  retainAvailable: key(
    yesOrNo(),
    defaultLimits.retainAvailable,
    'Whether messages may be retained.',
  ),
  wildcardSubscriptionAvailable: key(
    yesOrNo(),
    defaultLimits.wildcardSubscriptionAvailable,
    'Whether Topic Filters may have `+` and `#`.',
  ),
  subscriptionIdentifiersAvailable: key(
    yesOrNo(),
    defaultLimits.subscriptionIdentifiersAvailable,
    'Whether 5.0 clients may use Subscription Identifiers.',
  ),
  sharedSubscriptionAvailable: key(
    yesOrNo(),
    defaultLimits.sharedSubscriptionAvailable,
    'Whether `$share/name/filter` may be subscribed to, by 3.1.1 clients too.',
  ),
  keepAliveSecondsMax: key(
    seconds(0, UINT16_MAX),
    defaultLimits.keepAliveSecondsMax,
    'Longest Keep Alive: a 5.0 client that asks for more, or for none, is told this one; 0 leaves it to the clients.',
  ),
  sessionExpirySecondsMax: key(
    seconds(0, UINT32_MAX),
    defaultLimits.sessionExpirySecondsMax,
    'Longest Session Expiry Interval granted to 5.0 clients.',
  ),
  legacySessionExpirySeconds: key(
    seconds(0, UINT32_MAX),
    defaultLimits.legacySessionExpirySeconds,
    'How long the session of a 3.1 or 3.1.1 client with Clean Session 0 is kept after it has gone.',
  ),
  connectSecondsMax: key(
    seconds(1, 3600),
    defaultLimits.connectSecondsMax,
    'Time from the accepted connection to a whole CONNECT, enhanced authentication included.',
  ),
  legacyInFlightMax: key(
    count(1, UINT16_MAX),
    defaultLimits.legacyInFlightMax,
    'QoS 1 and 2 messages in flight to a 3.1 or 3.1.1 client.',
  ),
  inFlightMax: key(
    count(1, UINT16_MAX),
    defaultLimits.inFlightMax,
    'QoS 1 and 2 messages in flight to a 5.0 client, if its Receive Maximum allows as many.',
  ),
  queuedMessagesMax: key(
    count(1, COUNT_MAX),
    defaultLimits.queuedMessagesMax,
    'Messages waiting in one session.',
  ),
  queuedBytesMax: key(
    size(1, BYTES_MAX),
    defaultLimits.queuedBytesMax,
    'Bytes of topic, payload and properties waiting in one session.',
  ),
  cleanQueuedBytesMax: key(
    size(1, BYTES_MAX),
    defaultLimits.cleanQueuedBytesMax,
    'Memory for what waits in one session that ends with its connection: bytes as above, and 512 for ' +
      'each message. One message may always wait.',
  ),
  queueOverflow: key(
    oneOf('drop-oldest', 'drop-newest', 'refuse'),
    defaultLimits.queueOverflow,
    'What a full session does with one more message: drop the oldest, drop the new one, or refuse ' +
      'it to a 5.0 publisher with 0x97 before anybody got it (and drop it where it is older).',
  ),
  queueQoS0: key(
    yesOrNo(),
    defaultLimits.queueQoS0,
    'Whether QoS 0 messages wait for a client that is away.',
  ),
  outboxBytesMax: key(
    size(1024, BYTES_MAX),
    defaultLimits.outboxBytesMax,
    'Bytes that wait for one socket; beyond it (or 96 KiB behind a full send queue) QoS 0 is dropped.',
  ),
  sessionsMax: key(count(1, COUNT_MAX), defaultLimits.sessionsMax, 'Sessions, connected or not.'),
  sessionsPerUserMax: key(
    count(1, COUNT_MAX),
    defaultLimits.sessionsPerUserMax,
    'Sessions of one user; of clients without a user name, those that came from one address.',
  ),
  subscriptionsPerSessionMax: key(
    count(1, COUNT_MAX),
    defaultLimits.subscriptionsPerSessionMax,
    'Topic Filters of one session.',
  ),
  subscriptionBytesPerSessionMax: key(
    size(1, BYTES_MAX),
    defaultLimits.subscriptionBytesPerSessionMax,
    'Characters of all Topic Filters of one session; with wildcards each level beyond 8 counts 256.',
  ),
  deepWildcardLevelsMax: key(
    count(0, COUNT_MAX),
    defaultLimits.deepWildcardLevelsMax,
    'Levels beyond 8 of all Topic Filters with wildcards, of all sessions together: they cost time.',
  ),
  retainedMessagesMax: key(
    count(0, COUNT_MAX),
    defaultLimits.retainedMessagesMax,
    'Retained messages; one more is delivered and not retained.',
  ),
  retainedBytesMax: key(
    size(0, BYTES_MAX),
    defaultLimits.retainedBytesMax,
    'Bytes of all retained messages, which are in memory as well; each level beyond 8 counts 80.',
  ),
  topicLevelsMax: key(
    count(1, UINT16_MAX),
    defaultLimits.topicLevelsMax,
    'Levels of a Topic Name or Topic Filter.',
  ),
  topicBytesMax: key(
    size(1, UINT16_MAX),
    defaultLimits.topicBytesMax,
    'Bytes of a Topic Name or Topic Filter.',
  ),
  clientIdentifierBytesMax: key(
    size(1, UINT16_MAX),
    defaultLimits.clientIdentifierBytesMax,
    'Bytes of a Client Identifier.',
  ),
  clientIdentifierRequired: key(
    yesOrNo(),
    defaultLimits.clientIdentifierRequired,
    'Whether clients without a Client Identifier are refused (0x85); otherwise they are given one.',
  ),
  clientIdentifierPrefixes: key(
    list(text('the beginning of a Client Identifier'), { emptyToo: true }),
    [],
    'What Client Identifiers must begin with, those that the broker gives too; others are refused with 0x85.',
    'anything',
  ),
  assignedClientIdentifierPrefix: key(
    text('the beginning of a Client Identifier'),
    defaultLimits.assignedClientIdentifierPrefix,
    'What the Client Identifiers begin with that the broker gives.',
  ),
  connectionsMax: key(count(1, COUNT_MAX), defaultLimits.connectionsMax, 'Open connections.'),
  connectionsPerAddressMax: key(
    count(1, COUNT_MAX),
    defaultLimits.connectionsPerAddressMax,
    'Open connections from one IP address.',
  ),
  storePendingBytesMax: key(
    size(1024, BYTES_MAX),
    defaultLimits.storePendingBytesMax,
    'Bytes given to the store and not yet on disk, beyond which publishers are not read.',
  ),
  checkPayloadFormat: key(
    yesOrNo(),
    defaultLimits.checkPayloadFormat,
    'Whether a payload that says it is UTF-8 (Payload Format Indicator 1) is checked.',
  ),
});
