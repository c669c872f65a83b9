import { OutboundTopicAliases } from '../topic/topic-alias.js';
import type { ProtocolVersion } from '../wire/control-packet.js';
import {
  fixedHeaderBytes,
  type PublishFrame,
  publishHeadBytes,
  writePublishHead,
} from '../wire/publish-frame.js';
import type { Connection } from './connection.js';
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

/** Sends PUBLISH and PUBREL to one client, within what it can take. */
export class PublishSender implements Receiver {
  readonly #outbox: Outbox;
  readonly #statistics: Statistics;
  readonly #version: ProtocolVersion;
  readonly #packetBytesMax: number;
  readonly #aliases: OutboundTopicAliases<Uint8Array> | undefined;

  constructor(parts: {
    readonly outbox: Outbox;
    readonly statistics: Statistics;
    readonly version: ProtocolVersion;
    readonly packetBytesMax: number;
    readonly topicAliasMaximum: number;
  }) {
    this.#outbox = parts.outbox;
    this.#statistics = parts.statistics;
    this.#version = parts.version;
    this.#packetBytesMax = parts.packetBytesMax;
    this.#aliases =
      parts.topicAliasMaximum > 0 ? new OutboundTopicAliases(parts.topicAliasMaximum) : undefined;
  }

  get hasRoom(): boolean {
    return this.#outbox.hasRoom;
  }

  sendPublish(
    frame: PublishFrame,
    flags: number,
    packetIdentifier: number,
    subscriptionIdentifiers: readonly number[],
  ): boolean {
    if (this.#aliases !== undefined || subscriptionIdentifiers.length > 0) {
      return this.#sendExtended(frame, flags, packetIdentifier, subscriptionIdentifiers);
    }
    const template = frame.template(this.#version, packetIdentifier !== 0);
    const bytes = template.headEnd - template.start + frame.payloadBytes;
    if (bytes > this.#packetBytesMax) return false;
    this.#outbox.appendPublish(frame, template, FIRST_BYTE | flags, packetIdentifier);
    this.#statistics.publishSent++;
    return true;
  }

  sendPubrel(packetIdentifier: number, isUnknown: boolean): void {
    const withReason = isUnknown && this.#version === 5;
    const outbox = this.#outbox;
    const at = outbox.reserve(withReason ? 5 : 4);
    const { target } = outbox;
    target[at] = PUBREL_FIRST_BYTE;
    target[at + 1] = withReason ? 3 : 2;
    target[at + 2] = packetIdentifier >>> 8;
    target[at + 3] = packetIdentifier & 0xff;
    if (withReason) target[at + 4] = PACKET_IDENTIFIER_NOT_FOUND;
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
    const isVersion5 = this.#version === 5;
    const withIdentifier = packetIdentifier !== 0;
    const identifiers = isVersion5 ? encodeIdentifiers(subscriptionIdentifiers) : NO_BYTES;
    const plainHead = publishHeadBytes(
      frame,
      isVersion5,
      withIdentifier,
      frame.topic.length,
      identifiers.length,
    );
    const remaining = plainHead + frame.payloadBytes;
    if (remaining + fixedHeaderBytes(remaining) > this.#packetBytesMax) return false;
    let topic = frame.topic;
    let extraProperties = identifiers;
    // Naming an alias makes the packet a few bytes longer: only where that still fits.
    const fits = remaining + ALIAS_SPARE_BYTES <= this.#packetBytesMax;
    if (this.#aliases !== undefined && topic.length >= ALIAS_WORTH_BYTES && fits) {
      const assigned = this.#aliases.assign(topic);
      if (assigned !== 0) {
        extraProperties = withAlias(assigned.alias, identifiers);
        if (!assigned.isNew) topic = NO_BYTES;
      }
    }
    this.#write(frame, flags, packetIdentifier, { topic, extraProperties });
    this.#statistics.publishSent++;
    return true;
  }

  #write(
    frame: PublishFrame,
    flags: number,
    packetIdentifier: number,
    own: { readonly topic: Uint8Array; readonly extraProperties: Uint8Array },
  ): void {
    const outbox = this.#outbox;
    const isVersion5 = this.#version === 5;
    const withIdentifier = packetIdentifier !== 0;
    const head = publishHeadBytes(
      frame,
      isVersion5,
      withIdentifier,
      own.topic.length,
      own.extraProperties.length,
    );
    const headerBytes = fixedHeaderBytes(head + frame.payloadBytes);
    const isCopied = frame.prefersCopy();
    const at = outbox.reserve(headerBytes + head + (isCopied ? frame.payloadBytes : 0));
    const { target } = outbox;
    const payloadAt = writePublishHead(target, at, frame, { ...own, isVersion5, withIdentifier });
    target[at] = FIRST_BYTE | flags;
    if (withIdentifier) {
      const identifierAt = at + headerBytes + 2 + own.topic.length;
      target[identifierAt] = packetIdentifier >>> 8;
      target[identifierAt + 1] = packetIdentifier & 0xff;
    }
    if (!isCopied) outbox.share(frame.sharedPayload());
    else target.set(frame.payload.subarray(frame.payloadStart, frame.payloadEnd), payloadAt);
  }
}

/** For a client that has been accepted, within what its CONNECT says. */
export function newPublishSender(
  { connect, version, outbox, limits }: Connection,
  statistics: Statistics,
): PublishSender {
  const { maximumPacketSizeBytes, topicAliasMaximum } = connect!;
  return new PublishSender({
    outbox,
    statistics,
    version,
    packetBytesMax: maximumPacketSizeBytes ?? Number.POSITIVE_INFINITY,
    topicAliasMaximum: Math.min(topicAliasMaximum, limits.outboundTopicAliasMaximum),
  });
}

function encodeIdentifiers(identifiers: readonly number[]): Uint8Array {
  if (identifiers.length === 0) return NO_BYTES;
  const bytes: number[] = [];
  for (const identifier of identifiers) {
    bytes.push(SUBSCRIPTION_IDENTIFIER);
    let rest = identifier;
    while (rest > 0x7f) {
      bytes.push((rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    bytes.push(rest);
  }
  return Uint8Array.from(bytes);
}

function withAlias(alias: number, identifiers: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(3 + identifiers.length);
  bytes[0] = TOPIC_ALIAS;
  bytes[1] = alias >>> 8;
  bytes[2] = alias & 0xff;
  bytes.set(identifiers, 3);
  return bytes;
}
