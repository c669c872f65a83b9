import { utf8Bytes } from '../base/utf8.js';
import type { SessionRecord, StoredSubscription } from '../broker/store.js';
import { Delivery } from '../session/delivery.js';
import type { ApplicationMessage } from '../wire/application-message.js';
import type { ProtocolVersion, QoS, WillMessage } from '../wire/control-packet.js';
import type { StoredPosition } from './earlier-position.js';
import type { Entry } from './engine.js';
import { topicBytesOf, topicFilterOf } from './key.js';
import { messageBytesMax, readMessage, writeMessage } from './message-record.js';
import { RecordReader } from './record-reader.js';
import type { RecordWriter } from './record-writer.js';

/** The first byte of every value. */
export const RECORD_FORMAT_VERSION = 1;

const QOS = 0b11;
const NO_BYTES = new Uint8Array(0);

// S: flags, protocol version, expiry(4), disconnected at(8), will due(8), client, [user], [will]
const CONNECTED = 1 << 0;
const HAS_USER = 1 << 1;
const HAS_WILL = 1 << 2;
// A will: flags, delay(4), [expiry(4)], topic, properties, payload as the rest
const WILL_RETAIN = 1 << 2;
const WILL_UTF8 = 1 << 3;
const WILL_EXPIRES = 1 << 4;

export function encodeSession(writer: RecordWriter, record: SessionRecord): Uint8Array {
  const client = utf8Bytes(record.clientIdentifier);
  const user = record.userName === undefined ? undefined : utf8Bytes(record.userName);
  const will = record.will;
  const willTopic = will === undefined ? NO_BYTES : utf8Bytes(will.topicName);
  const willBytes =
    will === undefined
      ? 0
      : willTopic.length + will.forwardedProperties.length + will.payload.length;
  writer.begin(RECORD_FORMAT_VERSION, 60 + client.length + (user?.length ?? 0) + willBytes);
  writer.byte(
    (record.connected ? CONNECTED : 0) |
      (user === undefined ? 0 : HAS_USER) |
      (will === undefined ? 0 : HAS_WILL),
  );
  writer.byte(record.protocolVersion);
  writer.uint32(record.sessionExpiryIntervalSeconds);
  writer.float64(record.disconnectedAtWallMs);
  writer.float64(record.willDueWallMs);
  writer.prefixed(client);
  if (user !== undefined) writer.prefixed(user);
  if (will !== undefined) writeWill(writer, will, willTopic);
  return writer.end();
}

export function decodeSession(entry: Entry, sessionNumber: number): SessionRecord {
  const reader = new RecordReader(entry.key, entry.value, RECORD_FORMAT_VERSION);
  const flags = reader.flags(CONNECTED | HAS_USER | HAS_WILL);
  const protocolVersion = reader.byte();
  if (protocolVersion < 3 || protocolVersion > 5)
    reader.damaged('its protocol version is not known');
  const record: SessionRecord = {
    sessionNumber,
    protocolVersion: protocolVersion as ProtocolVersion,
    sessionExpiryIntervalSeconds: reader.uint32(),
    connected: (flags & CONNECTED) !== 0,
    disconnectedAtWallMs: reader.float64(),
    willDueWallMs: reader.float64(),
    clientIdentifier: reader.text(),
    userName: (flags & HAS_USER) !== 0 ? reader.text() : undefined,
    will: (flags & HAS_WILL) !== 0 ? readWill(reader) : undefined,
  };
  reader.end();
  return record;
}

function writeWill(writer: RecordWriter, will: WillMessage, topicBytes: Uint8Array): void {
  const expiry = will.messageExpiryIntervalSeconds;
  writer.byte(
    will.qos |
      (will.retain ? WILL_RETAIN : 0) |
      (will.payloadFormatIndicator === 1 ? WILL_UTF8 : 0) |
      (expiry === undefined ? 0 : WILL_EXPIRES),
  );
  writer.uint32(will.delayIntervalSeconds);
  if (expiry !== undefined) writer.uint32(expiry);
  writer.prefixed(topicBytes);
  writer.prefixed(will.forwardedProperties);
  writer.rest(will.payload);
}

function readWill(reader: RecordReader): WillMessage {
  const flags = reader.flags(QOS | WILL_RETAIN | WILL_UTF8 | WILL_EXPIRES);
  if ((flags & QOS) === 3) reader.damaged("its will's QoS is 3");
  return {
    qos: (flags & QOS) as QoS,
    retain: (flags & WILL_RETAIN) !== 0,
    payloadFormatIndicator: (flags & WILL_UTF8) !== 0 ? 1 : 0,
    delayIntervalSeconds: reader.uint32(),
    messageExpiryIntervalSeconds: (flags & WILL_EXPIRES) !== 0 ? reader.uint32() : undefined,
    topicName: reader.text(),
    forwardedProperties: reader.prefixed(),
    payload: reader.rest(),
  };
}

// U: flags, [Subscription Identifier]
const NO_LOCAL = 1 << 2;
const RETAIN_AS_PUBLISHED = 1 << 3;
const RETAIN_HANDLING_SHIFT = 4;
const HAS_IDENTIFIER = 1 << 6;

export function encodeSubscription(writer: RecordWriter, stored: StoredSubscription): Uint8Array {
  const { options, subscriptionIdentifier } = stored;
  writer.begin(RECORD_FORMAT_VERSION, 6);
  writer.byte(
    options.qos |
      (options.noLocal ? NO_LOCAL : 0) |
      (options.retainAsPublished ? RETAIN_AS_PUBLISHED : 0) |
      (options.retainHandling << RETAIN_HANDLING_SHIFT) |
      (subscriptionIdentifier === undefined ? 0 : HAS_IDENTIFIER),
  );
  if (subscriptionIdentifier !== undefined) writer.varint(subscriptionIdentifier);
  return writer.end();
}

export function decodeSubscription(entry: Entry): StoredSubscription {
  const reader = new RecordReader(entry.key, entry.value, RECORD_FORMAT_VERSION);
  const flags = reader.flags(0x7f);
  const qos = flags & QOS;
  const retainHandling = (flags >>> RETAIN_HANDLING_SHIFT) & 0b11;
  if (qos === 3 || retainHandling === 3) reader.damaged('its Subscription Options are not known');
  const subscriptionIdentifier = (flags & HAS_IDENTIFIER) !== 0 ? reader.varint() : undefined;
  reader.end();
  return {
    topicFilter: topicFilterOf(entry.key),
    options: {
      qos: qos as QoS,
      noLocal: (flags & NO_LOCAL) !== 0,
      retainAsPublished: (flags & RETAIN_AS_PUBLISHED) !== 0,
      retainHandling: retainHandling as 0 | 1 | 2,
    },
    subscriptionIdentifier,
  };
}

// P: head(8), tail(8), count(8), bytes(8)
export function encodePosition(writer: RecordWriter, queue: StoredPosition): Uint8Array {
  writer.begin(RECORD_FORMAT_VERSION, 32);
  writer.uint64(queue.headSequence);
  writer.uint64(queue.tailSequence);
  writer.uint64(queue.count);
  writer.uint64(queue.bytes);
  return writer.end();
}

export function decodePosition(entry: Entry): StoredPosition {
  const reader = new RecordReader(entry.key, entry.value, RECORD_FORMAT_VERSION);
  const headSequence = reader.uint64();
  const tailSequence = reader.uint64();
  const count = reader.uint64();
  const bytes = reader.uint64();
  reader.end();
  if (headSequence > tailSequence) reader.damaged('its head is behind its tail');
  return { headSequence, tailSequence, count, bytes };
}

// Q: flags, [identifiers: count and each], [share], then the message, or number(8) and bytes(4)
const DELIVERY_RETAIN = 1 << 2;
const IS_SHARED = 1 << 3;
const HAS_SHARE = 1 << 4;
const HAS_IDENTIFIERS = 1 << 5;

/** Where the message of a queue entry is: in the entry, or in the shared body of this number. */
export type QueuedMessage =
  | { readonly message: ApplicationMessage; readonly bodyNumber: 0 }
  | { readonly message: undefined; readonly bodyNumber: number; readonly bodyBytes: number };

export interface QueueEntry {
  readonly qos: QoS;
  readonly retain: boolean;
  readonly subscriptionIdentifiers: readonly number[];
  readonly share: string | undefined;
  readonly queued: QueuedMessage;
}

/** With a body number other than 0 the message itself is not in the record. */
export function encodeQueueEntry(
  writer: RecordWriter,
  delivery: Delivery,
  message: ApplicationMessage,
  bodyNumber: number,
): Uint8Array {
  const identifiers = delivery.subscriptionIdentifiers;
  const share = delivery.share === undefined ? undefined : utf8Bytes(delivery.share);
  const ownBytesMax = 6 + identifiers.length * 5 + 5 + (share?.length ?? 0);
  const isShared = bodyNumber !== 0;
  writer.begin(RECORD_FORMAT_VERSION, ownBytesMax + (isShared ? 12 : messageBytesMax(message)));
  writer.byte(
    delivery.qos |
      (delivery.retain ? DELIVERY_RETAIN : 0) |
      (isShared ? IS_SHARED : 0) |
      (share === undefined ? 0 : HAS_SHARE) |
      (identifiers.length === 0 ? 0 : HAS_IDENTIFIERS),
  );
  if (identifiers.length > 0) {
    writer.varint(identifiers.length);
    for (const identifier of identifiers) writer.varint(identifier);
  }
  if (share !== undefined) writer.prefixed(share);
  if (isShared) {
    writer.uint64(bodyNumber);
    writer.uint32(message.bytes);
  } else {
    writeMessage(writer, message, message.topicBytes);
  }
  return writer.end();
}

export function decodeQueueEntry(entry: Entry): QueueEntry {
  const reader = new RecordReader(entry.key, entry.value, RECORD_FORMAT_VERSION);
  const flags = reader.flags(QOS | DELIVERY_RETAIN | IS_SHARED | HAS_SHARE | HAS_IDENTIFIERS);
  if ((flags & QOS) === 3) reader.damaged('its QoS is 3');
  const subscriptionIdentifiers: number[] = [];
  if ((flags & HAS_IDENTIFIERS) !== 0) {
    for (let left = reader.varint(); left > 0; left--) {
      subscriptionIdentifiers.push(reader.varint());
    }
  }
  const share = (flags & HAS_SHARE) !== 0 ? reader.text() : undefined;
  let queued: QueuedMessage;
  if ((flags & IS_SHARED) !== 0) {
    queued = { message: undefined, bodyNumber: reader.uint64(), bodyBytes: reader.uint32() };
    reader.end();
  } else {
    queued = { message: readMessage(reader), bodyNumber: 0 };
  }
  const retain = (flags & DELIVERY_RETAIN) !== 0;
  return { qos: (flags & QOS) as QoS, retain, subscriptionIdentifiers, share, queued };
}

/** The delivery as it was put; its message is the entry's own or the shared one. */
export function deliveryOf(
  queueEntry: QueueEntry,
  sequence: number,
  message: ApplicationMessage,
): Delivery {
  const { qos, retain, subscriptionIdentifiers, share } = queueEntry;
  const delivery = new Delivery(message, qos, retain, subscriptionIdentifiers);
  delivery.sequence = sequence;
  delivery.share = share;
  return delivery;
}

// O: released, sequence(8)
export function encodeExchange(
  writer: RecordWriter,
  sequence: number,
  released: boolean,
): Uint8Array {
  writer.begin(RECORD_FORMAT_VERSION, 9);
  writer.byte(released ? 1 : 0);
  writer.uint64(sequence);
  return writer.end();
}

export function decodeExchange(entry: Entry): { sequence: number; released: boolean } {
  const reader = new RecordReader(entry.key, entry.value, RECORD_FORMAT_VERSION);
  const released = reader.flags(1) === 1;
  const sequence = reader.uint64();
  reader.end();
  return { sequence, released };
}

/** `R`: the message without its Topic Name, which is the key. */
export function encodeRetained(writer: RecordWriter, message: ApplicationMessage): Uint8Array {
  writer.begin(RECORD_FORMAT_VERSION, messageBytesMax(message));
  writeMessage(writer, message, NO_BYTES);
  return writer.end();
}

export function decodeRetained(entry: Entry): ApplicationMessage {
  const reader = new RecordReader(entry.key, entry.value, RECORD_FORMAT_VERSION);
  return readMessage(reader, topicBytesOf(entry.key));
}

/** `B`. */
export function encodeBody(writer: RecordWriter, message: ApplicationMessage): Uint8Array {
  writer.begin(RECORD_FORMAT_VERSION, messageBytesMax(message));
  writeMessage(writer, message, message.topicBytes);
  return writer.end();
}

export function decodeBody(entry: Entry): ApplicationMessage {
  return readMessage(new RecordReader(entry.key, entry.value, RECORD_FORMAT_VERSION));
}

/** `K` and `M`: one number(8). */
export function encodeNumber(writer: RecordWriter, number: number): Uint8Array {
  writer.begin(RECORD_FORMAT_VERSION, 8);
  writer.uint64(number);
  return writer.end();
}

export function decodeNumber(entry: Entry): number {
  const reader = new RecordReader(entry.key, entry.value, RECORD_FORMAT_VERSION);
  const number = reader.uint64();
  reader.end();
  return number;
}

/** `I` and `D`: the key says it all. */
export function encodeMark(writer: RecordWriter): Uint8Array {
  writer.begin(RECORD_FORMAT_VERSION, 0);
  return writer.end();
}

export function decodeMark(entry: Entry): void {
  new RecordReader(entry.key, entry.value, RECORD_FORMAT_VERSION).end();
}
