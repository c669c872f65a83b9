import { copyBytes } from '../base/copy-bytes.js';
import { OutboundTopicAliases } from '../topic/topic-alias.js';
import type { ProtocolVersion } from '../wire/control-packet.js';
import {
  fixedHeaderBytes,
  type PublishFrame,
  type PublishHead,
  publishHeadBytes,
  writePublishHead,
} from '../wire/publish-frame.js';
import type { Connection } from './connection.js';
import type { MountPoint } from './mount-point.js';
import type { Outbox } from './outbox.js';
import type { Receiver } from './receiver.js';
import type { Statistics } from './statistics.js';

const FIRST_BYTE = 0x30;
const PUBREL_FIRST_BYTE = 0x62;
const PACKET_IDENTIFIER_NOT_FOUND = 0x92;
const SUBSCRIPTION_IDENTIFIER = 0x0b;
const TOPIC_ALIAS = 0x23;
const NO_BYTES = new Uint8Array(0);
/** A topic this short costs less than the alias that would stand for it. */
const ALIAS_WORTH_BYTES = 4;
/** The longest Fixed Header, the property, and a byte more of Property Length. */
const ALIAS_SPARE_BYTES = 9;
/** Topic Alias as a property; Subscription Identifiers stand behind its place. */
const ALIAS_BYTES = 3;
const IDENTIFIER_BYTES_MAX = 5;

/** Of the packet being written: used again for each. */
const head: PublishHead = {
  isVersion5: false,
  withIdentifier: false,
  topic: NO_BYTES,
  extras: new Uint8Array(64),
  extrasStart: ALIAS_BYTES,
  extrasEnd: ALIAS_BYTES,
};

/** Sends PUBLISH and PUBREL to one client, within what it can take. */
export class PublishSender implements Receiver {
  readonly #outbox: Outbox;
  readonly #statistics: Statistics;
  readonly #version: ProtocolVersion;
  /** Length of the last PUBLISH that was sent. */
  sentBytes = 0;
  /** PUBLISH packets sent. */
  sentCount = 0;
  #packetBytesMax: number;
  /** What client and rules ask for. */
  #agreedBytesMax: number;
  readonly #aliases: OutboundTopicAliases<Uint8Array> | undefined;
  readonly #mountPoint: MountPoint | undefined;
  /** Neither aliases nor a mount point: what came may be the template of what goes out. */
  readonly #isPlain: boolean;

  constructor(parts: {
    readonly outbox: Outbox;
    readonly statistics: Statistics;
    readonly version: ProtocolVersion;
    readonly packetBytesMax: number;
    readonly topicAliasMaximum: number;
    readonly mountPoint?: MountPoint | undefined;
  }) {
    this.#outbox = parts.outbox;
    this.#statistics = parts.statistics;
    this.#version = parts.version;
    this.#packetBytesMax = parts.packetBytesMax;
    this.#agreedBytesMax = parts.packetBytesMax;
    this.#aliases =
      parts.topicAliasMaximum > 0 ? new OutboundTopicAliases(parts.topicAliasMaximum) : undefined;
    this.#mountPoint = parts.mountPoint;
    this.#isPlain = this.#aliases === undefined && this.#mountPoint === undefined;
  }

  get hasRoom(): boolean {
    return this.#outbox.hasRoom;
  }

  /** Whether a QoS 0 message may be sent, which waits nowhere but in the outbox. */
  get hasRoomForQoS0(): boolean {
    return this.#outbox.hasRoomForQoS0;
  }

  /** Nothing larger is sent on this connection. */
  limitPacketBytes(bytesMax: number): void {
    if (bytesMax >= this.#packetBytesMax) return;
    this.#packetBytesMax = bytesMax;
    this.#agreedBytesMax = bytesMax;
  }

  /** The same for what was learned on the way, which may be taken back with a larger number. */
  learnPacketBytes(bytesMax: number): void {
    this.#packetBytesMax = Math.min(bytesMax, this.#agreedBytesMax);
  }

  sendPublish(
    frame: PublishFrame,
    flags: number,
    packetIdentifier: number,
    subscriptionIdentifiers: readonly number[],
  ): boolean {
    if (!this.#isPlain || subscriptionIdentifiers.length > 0) {
      return this.#sendExtended(frame, flags, packetIdentifier, subscriptionIdentifiers);
    }
    const template = frame.template(this.#version, packetIdentifier !== 0);
    const bytes = template.headEnd - template.start + frame.payloadBytes;
    if (bytes > this.#packetBytesMax) return false;
    this.#outbox.appendPublish(frame, template, FIRST_BYTE | flags, packetIdentifier);
    this.#statistics.publishSent++;
    this.sentCount++;
    this.sentBytes = bytes;
    return true;
  }

  sendPubrel(packetIdentifier: number, isUnknown: boolean): void {
    const reasonCode = isUnknown && this.#version === 5 ? PACKET_IDENTIFIER_NOT_FOUND : 0;
    this.#outbox.appendAcknowledgement(PUBREL_FIRST_BYTE, packetIdentifier, reasonCode);
  }

  /**
   * With properties of this receiver alone, which change the length: nothing to share but the
   * payload.
   */
  #sendExtended(
    frame: PublishFrame,
    flags: number,
    packetIdentifier: number,
    subscriptionIdentifiers: readonly number[],
  ): boolean {
    head.isVersion5 = this.#version === 5;
    head.withIdentifier = packetIdentifier !== 0;
    const topic = this.#seen(frame.topic);
    head.topic = topic;
    head.extrasStart = ALIAS_BYTES;
    head.extrasEnd = head.isVersion5 ? writeIdentifiers(subscriptionIdentifiers) : ALIAS_BYTES;
    const remaining = headBytes(frame) + frame.payloadBytes;
    if (remaining + fixedHeaderBytes(remaining) > this.#packetBytesMax) return false;
    // Naming an alias makes the packet a few bytes longer: only where that still fits.
    const fits = remaining + ALIAS_SPARE_BYTES <= this.#packetBytesMax;
    if (this.#aliases !== undefined && topic.length >= ALIAS_WORTH_BYTES && fits) {
      const assigned = this.#aliases.assign(frame.topic);
      if (assigned !== 0) {
        writeAlias(assigned.alias);
        if (!assigned.isNew) head.topic = NO_BYTES;
      }
    }
    this.#write(frame, flags, packetIdentifier);
    this.#statistics.publishSent++;
    this.sentCount++;
    // What it would be without an alias: as much has been taken, or has not.
    this.sentBytes = remaining + fixedHeaderBytes(remaining);
    return true;
  }

  /** The Topic Name as the client has it. */
  #seen(topic: Uint8Array): Uint8Array {
    const mountPoint = this.#mountPoint;
    return mountPoint?.covers(topic) === true ? topic.subarray(mountPoint.length) : topic;
  }

  /** With the head as it was made before. */
  #write(frame: PublishFrame, flags: number, packetIdentifier: number): void {
    const outbox = this.#outbox;
    const bytes = headBytes(frame);
    const headerBytes = fixedHeaderBytes(bytes + frame.payloadBytes);
    const isCopied = frame.prefersCopy();
    const at = outbox.reserve(headerBytes + bytes + (isCopied ? frame.payloadBytes : 0));
    const { target } = outbox;
    const payloadAt = writePublishHead(target, at, frame, head);
    target[at] = FIRST_BYTE | flags;
    if (packetIdentifier !== 0) {
      const identifierAt = at + headerBytes + 2 + head.topic.length;
      target[identifierAt] = packetIdentifier >>> 8;
      target[identifierAt + 1] = packetIdentifier & 0xff;
    }
    if (!isCopied) outbox.share(frame.sharedPayload());
    else copyBytes(target, payloadAt, frame.payload, frame.payloadStart, frame.payloadEnd);
  }
}

/** For a client that has been accepted, within what its CONNECT says. */
export function newPublishSender(
  { connect, version, outbox, limits, policy }: Connection,
  statistics: Statistics,
): PublishSender {
  const { maximumPacketSizeBytes, topicAliasMaximum } = connect!;
  return new PublishSender({
    outbox,
    statistics,
    version,
    packetBytesMax: maximumPacketSizeBytes ?? Number.POSITIVE_INFINITY,
    topicAliasMaximum: Math.min(topicAliasMaximum, limits.outboundTopicAliasMaximum),
    mountPoint: policy.mountPoint,
  });
}

function headBytes(frame: PublishFrame): number {
  const { isVersion5, withIdentifier, topic, extrasStart, extrasEnd } = head;
  return publishHeadBytes(frame, isVersion5, withIdentifier, topic.length, extrasEnd - extrasStart);
}

/** Returns where they end. */
function writeIdentifiers(identifiers: readonly number[]): number {
  const bytesMax = ALIAS_BYTES + identifiers.length * IDENTIFIER_BYTES_MAX;
  if (bytesMax > head.extras.length) head.extras = new Uint8Array(bytesMax * 2);
  const { extras } = head;
  let at = ALIAS_BYTES;
  for (const identifier of identifiers) {
    extras[at++] = SUBSCRIPTION_IDENTIFIER;
    let rest = identifier;
    while (rest > 0x7f) {
      extras[at++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    extras[at++] = rest;
  }
  return at;
}

function writeAlias(alias: number): void {
  const { extras } = head;
  extras[0] = TOPIC_ALIAS;
  extras[1] = alias >>> 8;
  extras[2] = alias & 0xff;
  head.extrasStart = 0;
}
