import { utf8Bytes } from '../base/utf8.js';
import { ApplicationMessage, NEVER_EXPIRES } from '../wire/application-message.js';
import type { QoS } from '../wire/control-packet.js';
import { keep } from '../wire/keep.js';
import { compareBytes } from './byte-order.js';
import type { RecordReader } from './record-reader.js';
import type { RecordWriter } from './record-writer.js';

const QOS = 0b11;
const RETAIN = 1 << 2;
const EXPIRES = 1 << 3;
const LENGTHS_AND_EXPIRY_BYTES_MAX = 1 + 8 + 3 * 5;

/** Devices publish again and again: the last publisher's bytes are kept. */
let lastPublisher = '';
let lastPublisherBytes: Uint8Array = new Uint8Array(0);

interface TextRead {
  readonly bytes: Uint8Array;
  readonly text: string;
}

/** Queues hold message after message of one topic and one publisher: both are read once. */
let lastTopicRead: TextRead = { bytes: new Uint8Array(0), text: '' };
let lastPublisherRead = lastTopicRead;

/** An upper bound of what `writeMessage` writes. */
export function messageBytesMax(message: ApplicationMessage): number {
  return message.bytes + publisherBytes(message).length + LENGTHS_AND_EXPIRY_BYTES_MAX;
}

/**
 * Writes an Application Message to the end of a record:
 *
 *   flags      bits 0-1 QoS as published, 2 RETAIN as published, 3 expires
 *   [expiry]   float64, Unix epoch milliseconds
 *   topic      length and bytes; empty where the key has it
 *   publisher  length and bytes
 *   properties length and bytes
 *   payload    the rest
 */
export function writeMessage(
  writer: RecordWriter,
  message: ApplicationMessage,
  topicBytes: Uint8Array,
): void {
  const expires = message.expiresAtWallMs !== NEVER_EXPIRES;
  writer.byte(message.qos | (message.retain ? RETAIN : 0) | (expires ? EXPIRES : 0));
  if (expires) writer.float64(message.expiresAtWallMs);
  writer.prefixed(topicBytes);
  writer.prefixed(publisherBytes(message));
  writer.prefixed(message.properties);
  writer.rest(message.payload);
}

/**
 * `topicOfKey` is the Topic Name where the key has it. The message's bytes are views into the
 * record.
 */
export function readMessage(reader: RecordReader, topicOfKey?: Uint8Array): ApplicationMessage {
  const flags = reader.flags(QOS | RETAIN | EXPIRES);
  const qos = flags & QOS;
  if (qos === 3) reader.damaged('its QoS is 3');
  const expiresAtWallMs = (flags & EXPIRES) !== 0 ? reader.float64() : NEVER_EXPIRES;
  const topicOfRecord = reader.prefixed();
  if ((topicOfRecord.length === 0) !== (topicOfKey !== undefined)) {
    reader.damaged('its Topic Name is missing or there twice');
  }
  lastTopicRead = textRead(reader, topicOfKey ?? topicOfRecord, lastTopicRead);
  lastPublisherRead = textRead(reader, reader.prefixed(), lastPublisherRead);
  const properties = reader.prefixed();
  const payload = reader.rest();
  return new ApplicationMessage(
    lastTopicRead.text,
    lastTopicRead.bytes,
    payload,
    properties,
    qos as QoS,
    (flags & RETAIN) !== 0,
    expiresAtWallMs,
    lastPublisherRead.text,
  );
}

/** The same object again where the text is the same. */
function textRead(reader: RecordReader, bytes: Uint8Array, last: TextRead): TextRead {
  if (bytes.length === last.bytes.length && compareBytes(bytes, last.bytes) === 0) return last;
  const text = reader.textOf(bytes);
  return { bytes: keep(bytes), text };
}

function publisherBytes(message: ApplicationMessage): Uint8Array {
  if (message.publisher !== lastPublisher) {
    lastPublisher = message.publisher;
    lastPublisherBytes = utf8Bytes(message.publisher);
  }
  return lastPublisherBytes;
}
