import { copyBytes } from '../base/copy-bytes.js';
import { type ApplicationMessage, NEVER_EXPIRES } from './application-message.js';
import type { ProtocolVersion } from './control-packet.js';
import { keep } from './keep.js';
import { PropertyIdentifier } from './property.js';
import { writePropertiesWithout } from './property-bytes.js';
import type { Publish } from './publish.js';

const NO_BYTES = new Uint8Array(0);
const PACKET_TYPE = 0x30;
/** Message Expiry Interval: its identifier and four bytes. */
const EXPIRY_BYTES = 5;
const FIXED_HEADER_BYTES_MAX = 5;
/**
 * Up to here a payload is copied; above, it is shared (docs/architecture.md has the measurement).
 */
const COPY_BYTES_MAX = 1024;
/** Up to here the first receiver of a message gets a copy all the same. */
const SINGLE_COPY_BYTES_MAX = 32_768;

/**
 * What stands in front of the payload of a PUBLISH, encoded once for each of the four layouts
 * (before 5.0 or 5.0, with a Packet Identifier or without) and copied for each receiver, who sets
 * the first byte and the identifier.
 *
 *   bytes: start ┬ first byte, Remaining Length, Topic Name
 *                ├ identifierAt: Packet Identifier (or -1)
 *                └ Property Length, properties (5.0) … headEnd
 */
export class FrameTemplate {
  bytes: Uint8Array = NO_BYTES;
  start = 0;
  headEnd = 0;
  identifierAt = -1;
  /** False while it must be made again for the present message. */
  ready = false;
  /** The payload follows in `bytes`: head and payload are one piece. */
  isWhole = false;
  /** Reused from message to message. */
  scratch: Uint8Array = NO_BYTES;
  #view: Uint8Array | undefined = undefined;

  /** Another message: its bytes have been set. */
  begin(): void {
    this.ready = true;
    this.#view = undefined;
  }

  /** The bytes from `start` to `end`: one view for all receivers of the message. */
  view(end: number): Uint8Array {
    const known = this.#view;
    if (known !== undefined && known.length === end - this.start) return known;
    const view = this.bytes.subarray(this.start, end);
    this.#view = view;
    return view;
  }
}

/**
 * The message being sent, as bytes of whoever has them: the read chunk for one that has just come,
 * an `ApplicationMessage` for one that was kept. One instance is used again for every message.
 */
export class PublishFrame {
  topic: Uint8Array = NO_BYTES;
  payload: Uint8Array = NO_BYTES;
  payloadStart = 0;
  payloadEnd = 0;
  /** Remaining seconds, or -1 without expiry. */
  expirySeconds = -1;
  /** Forwarded properties; as they came where they are not `#areForwarded` yet. */
  #properties: Uint8Array = NO_BYTES;
  #propertiesStart = 0;
  #propertiesEnd = 0;
  /** Without Topic Alias and Message Expiry Interval, as `propertyBytes` makes them. */
  #areForwarded = true;
  /** Properties of which those two are left out; reused from message to message. */
  #scratch: Uint8Array = NO_BYTES;
  /** The payload stays as it is after the tick. */
  #isOwned = false;
  /** A copy of the payload that does, or the payload itself. */
  #shared: Uint8Array | undefined = undefined;
  #copies = 0;
  readonly #templates = [
    new FrameTemplate(),
    new FrameTemplate(),
    new FrameTemplate(),
    new FrameTemplate(),
  ] as const;

  /**
   * A PUBLISH as it came from a client of this version. Where its bytes are already what a layout
   * needs, they are the template: nothing is encoded at all. That includes a Message Expiry
   * Interval, of which nothing has passed yet. [MQTT-3.3.2-6]
   */
  fromPublish(publish: Publish, topic: Uint8Array, version: ProtocolVersion): void {
    this.topic = topic;
    this.payload = publish.bytes;
    this.payloadStart = publish.payloadStart;
    this.payloadEnd = publish.packetEnd;
    this.expirySeconds = publish.messageExpiryIntervalSeconds;
    this.#properties = publish.bytes;
    this.#propertiesStart = publish.propertiesStart;
    this.#propertiesEnd = publish.propertiesEnd;
    this.#areForwarded = publish.propertiesAreVerbatim;
    this.#begin(publish.isOwned);
    const isItsTopic = topic.length === publish.topicEnd - publish.topicStart;
    if (publish.topicAlias === 0 && isItsTopic) {
      const template = this.#slot(version === 5, publish.qos > 0);
      template.bytes = publish.bytes;
      template.start = publish.packetStart;
      template.headEnd = publish.payloadStart;
      template.identifierAt = publish.qos > 0 ? publish.topicEnd : -1;
      template.isWhole = true;
      template.begin();
    }
  }

  /** A kept message; `nowWallMs` gives the seconds it has left. [MQTT-3.3.2-6] */
  fromMessage(message: ApplicationMessage, nowWallMs: number): void {
    this.topic = message.topicBytes;
    this.#properties = message.properties;
    this.#propertiesStart = 0;
    this.#propertiesEnd = message.properties.length;
    this.#areForwarded = true;
    this.payload = message.payload;
    this.payloadStart = 0;
    this.payloadEnd = message.payload.length;
    this.expirySeconds =
      message.expiresAtWallMs === NEVER_EXPIRES
        ? -1
        : Math.max(0, Math.ceil((message.expiresAtWallMs - nowWallMs) / 1000));
    this.#begin(true);
  }

  /** Of the forwarded properties. */
  get propertyBytes(): number {
    if (!this.#areForwarded) this.#leaveOut();
    return this.#propertiesEnd - this.#propertiesStart;
  }

  /** Returns the index behind them. Their `propertyBytes` must have been asked for. */
  writeProperties(target: Uint8Array, at: number): number {
    return copyBytes(target, at, this.#properties, this.#propertiesStart, this.#propertiesEnd);
  }

  get payloadBytes(): number {
    return this.payloadEnd - this.payloadStart;
  }

  /**
   * Whether the payload should be copied for this receiver: small ones always; a larger one that
   * lies in the read chunk for the first receiver, because most messages have but one.
   */
  prefersCopy(): boolean {
    const bytes = this.payloadEnd - this.payloadStart;
    if (bytes <= COPY_BYTES_MAX) return true;
    return !this.#isOwned && bytes <= SINGLE_COPY_BYTES_MAX && this.#copies++ === 0;
  }

  /** The payload for many receivers: it stays as it is when the tick is over. */
  sharedPayload(): Uint8Array {
    this.#shared ??= this.#isOwned
      ? this.payload.subarray(this.payloadStart, this.payloadEnd)
      : keep(this.payload, this.payloadStart, this.payloadEnd);
    return this.#shared;
  }

  template(version: ProtocolVersion, withIdentifier: boolean): FrameTemplate {
    const template = this.#slot(version === 5, withIdentifier);
    if (!template.ready) this.#build(template, version === 5, withIdentifier);
    return template;
  }

  #slot(isVersion5: boolean, withIdentifier: boolean): FrameTemplate {
    return this.#templates[((isVersion5 ? 2 : 0) + (withIdentifier ? 1 : 0)) as 0 | 1 | 2 | 3];
  }

  /** Another message: nothing made for the one before holds. */
  #begin(isOwned: boolean): void {
    this.#isOwned = isOwned;
    this.#shared = undefined;
    this.#copies = 0;
    const templates = this.#templates;
    templates[0].ready = false;
    templates[1].ready = false;
    templates[2].ready = false;
    templates[3].ready = false;
  }

  #leaveOut(): void {
    const bytes = this.#propertiesEnd - this.#propertiesStart;
    if (this.#scratch.length < bytes) this.#scratch = new Uint8Array(bytes * 2);
    this.#propertiesEnd = writePropertiesWithout(
      this.#scratch,
      this.#properties,
      this.#propertiesStart,
      this.#propertiesEnd,
      PropertyIdentifier.TopicAlias,
      PropertyIdentifier.MessageExpiryInterval,
    );
    this.#properties = this.#scratch;
    this.#propertiesStart = 0;
    this.#areForwarded = true;
  }

  #build(template: FrameTemplate, isVersion5: boolean, withIdentifier: boolean): void {
    const { topic } = this;
    const head = publishHeadBytes(this, isVersion5, withIdentifier, topic.length, 0);
    const bytes = FIXED_HEADER_BYTES_MAX + head;
    if (template.scratch.length < bytes) template.scratch = new Uint8Array(bytes * 2);
    templateHead.isVersion5 = isVersion5;
    templateHead.withIdentifier = withIdentifier;
    templateHead.topic = topic;
    template.bytes = template.scratch;
    template.start = 0;
    template.headEnd = writePublishHead(template.scratch, 0, this, templateHead);
    template.identifierAt = withIdentifier
      ? fixedHeaderBytes(head + this.payloadBytes) + 2 + topic.length
      : -1;
    template.isWhole = false;
    template.begin();
  }
}

/** One may be used again for every packet. */
export interface PublishHead {
  isVersion5: boolean;
  withIdentifier: boolean;
  /** Empty where a Topic Alias stands for the name. */
  topic: Uint8Array;
  /** Encoded properties of this receiver alone: Topic Alias, Subscription Identifiers. */
  extras: Uint8Array;
  extrasStart: number;
  extrasEnd: number;
}

/** Of the template being built: used again for each. */
const templateHead: PublishHead = {
  isVersion5: false,
  withIdentifier: false,
  topic: NO_BYTES,
  extras: NO_BYTES,
  extrasStart: 0,
  extrasEnd: 0,
};

/** Bytes between the fixed header and the payload. */
export function publishHeadBytes(
  frame: PublishFrame,
  isVersion5: boolean,
  withIdentifier: boolean,
  topicBytes: number,
  extraPropertyBytes: number,
): number {
  const bytes = 2 + topicBytes + (withIdentifier ? 2 : 0);
  if (!isVersion5) return bytes;
  const properties = propertyBytes(frame) + extraPropertyBytes;
  return bytes + variableByteIntegerBytes(properties) + properties;
}

/**
 * Writes all but the payload, with flags and Packet Identifier zero; returns where the payload
 * goes.
 */
export function writePublishHead(
  target: Uint8Array,
  offset: number,
  frame: PublishFrame,
  head: PublishHead,
): number {
  const { topic, extras, extrasStart, extrasEnd, isVersion5, withIdentifier } = head;
  const extraBytes = extrasEnd - extrasStart;
  const remaining =
    publishHeadBytes(frame, isVersion5, withIdentifier, topic.length, extraBytes) +
    frame.payloadBytes;
  let at = offset;
  target[at++] = PACKET_TYPE;
  at = writeVariableByteInteger(target, at, remaining);
  target[at++] = topic.length >>> 8;
  target[at++] = topic.length & 0xff;
  at = copyBytes(target, at, topic, 0, topic.length);
  if (withIdentifier) {
    target[at++] = 0;
    target[at++] = 0;
  }
  if (!isVersion5) return at;
  at = writeVariableByteInteger(target, at, propertyBytes(frame) + extraBytes);
  if (frame.expirySeconds >= 0) {
    target[at++] = PropertyIdentifier.MessageExpiryInterval;
    target[at++] = frame.expirySeconds >>> 24;
    target[at++] = (frame.expirySeconds >>> 16) & 0xff;
    target[at++] = (frame.expirySeconds >>> 8) & 0xff;
    target[at++] = frame.expirySeconds & 0xff;
  }
  at = copyBytes(target, at, extras, extrasStart, extrasEnd);
  return frame.writeProperties(target, at);
}

/** First byte and Remaining Length. */
export function fixedHeaderBytes(remainingLength: number): number {
  return 1 + variableByteIntegerBytes(remainingLength);
}

function propertyBytes(frame: PublishFrame): number {
  return frame.propertyBytes + (frame.expirySeconds >= 0 ? EXPIRY_BYTES : 0);
}

function variableByteIntegerBytes(value: number): number {
  return value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x20_0000 ? 3 : 4;
}

function writeVariableByteInteger(target: Uint8Array, offset: number, value: number): number {
  let at = offset;
  let rest = value;
  while (rest > 0x7f) {
    target[at++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  target[at++] = rest;
  return at;
}
