import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isUtf8 } from '../../src/base/utf8.js';
import type { ProtocolVersion, Sender } from '../../src/wire/control-packet.js';
import { PacketType } from '../../src/wire/control-packet.js';
import { decode } from '../../src/wire/decode.js';
import {
  decodePublish,
  decodePublishPacket,
  forwardedProperties,
} from '../../src/wire/decode-publish.js';
import { encode } from '../../src/wire/encode.js';
import { decodeForwardedProperties } from '../../src/wire/forwarded-properties.js';
import { Framer } from '../../src/wire/framer.js';
import { ProtocolViolation } from '../../src/wire/protocol-violation.js';
import { Publish } from '../../src/wire/publish.js';
import { anySent } from '../wire/arbitrary-packets.js';
import { placed } from '../wire/bytes.js';

const VERSIONS: readonly ProtocolVersion[] = [3, 4, 5];
const SENDERS: readonly Sender[] = ['client', 'server'];

/** Undefined where the act throws a `ProtocolViolation`; whatever else it throws is a failure. */
function unlessRefused<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch (error) {
    if (error instanceof ProtocolViolation) return undefined;
    throw error;
  }
}

/** Feeds the stream in pieces; everything that comes whole is decoded in every way. */
function feed(stream: Uint8Array, pieceBytes: number): void {
  const framer = new Framer(100_000);
  let received = 0;
  for (let at = 0; at < stream.length; at += pieceBytes) {
    const piece = stream.slice(at, at + pieceBytes);
    received += piece.length;
    framer.push(piece);
    while (framer.next()) {
      for (const version of VERSIONS) {
        for (const from of SENDERS) unlessRefused(() => decode(framer, version, from));
      }
      if (framer.bytes[framer.packetStart]! >> 4 === PacketType.PUBLISH) comparePublish(framer);
    }
    expect(framer.bufferedBytes).toBeLessThanOrEqual(received);
  }
}

const publish = new Publish();

/** The Server's decoder and the one by table agree, but for the Topic Name, which one reads. */
function comparePublish(framer: Framer): void {
  for (const version of VERSIONS) {
    const value = unlessRefused(() => decodePublishPacket(framer, version, 'client'));
    const accepted = unlessRefused(() => {
      decodePublish(publish, framer, version);
      return true;
    });
    if (value === undefined) {
      const { bytes, topicStart, topicEnd } = publish;
      if (accepted) expect(isUtf8(bytes, topicStart, topicEnd)).toBe(false);
      continue;
    }
    expect(accepted).toBe(true);
    expect(publish.topicAlias).toBe(value.topicAlias ?? 0);
    expect(publish.messageExpiryIntervalSeconds).toBe(value.messageExpiryIntervalSeconds ?? -1);
    expect(publish.packetEnd - publish.payloadStart).toBe(value.payload.length);
    const forwarded = decodeForwardedProperties(forwardedProperties(publish));
    expect(forwarded).toEqual({
      ...(value.payloadFormatIndicator !== undefined && {
        payloadFormatIndicator: value.payloadFormatIndicator,
      }),
      ...(value.contentType !== undefined && { contentType: value.contentType }),
      ...(value.responseTopic !== undefined && { responseTopic: value.responseTopic }),
      ...(value.correlationData !== undefined && { correlationData: value.correlationData }),
      ...(value.userProperties !== undefined && { userProperties: value.userProperties }),
    });
  }
}

describe('the codec', () => {
  it('throws nothing but ProtocolViolation on random bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.integer({ min: 1, max: 50 }), (...args) => {
        unlessRefused(() => feed(...args));
      }),
      { numRuns: 5000 },
    );
  });

  it('throws nothing but ProtocolViolation on random bodies of every type', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0x10, max: 0xff }),
        fc.uint8Array({ maxLength: 60, size: 'max' }),
        fc.nat(10),
        (first, body, zeros) => {
          const quiet = body.map((byte, at) => (at < zeros ? byte & 0x01 : byte & 0x2f));
          unlessRefused(() => feed(Uint8Array.of(first, quiet.length, ...quiet), 100));
        },
      ),
      { numRuns: 5000 },
    );
  });

  it('throws nothing but ProtocolViolation on streams of packets with changed bytes', () => {
    const changes = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 });
    fc.assert(
      fc.property(
        fc.array(anySent, { minLength: 1, maxLength: 4 }),
        changes,
        fc.integer({ min: 1, max: 400 }),
        (sent, changed, pieceBytes) => {
          const packets = sent.map(({ packet, version }) => encode(packet, version));
          const stream = new Uint8Array(Buffer.concat(packets));
          for (const [place, value] of changed) stream[place % stream.length] = value;
          unlessRefused(() => feed(stream, pieceBytes));
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('reads no byte beyond the packet: every truncation is refused or stands alone', () => {
    fc.assert(
      fc.property(anySent, fc.nat(), ({ packet, version, from }, place) => {
        const whole = encode(packet, version);
        const source = placed(whole);
        const packetEnd = source.bodyStart + (place % (source.packetEnd - source.bodyStart + 1));
        const short = { ...source, packetEnd };
        const other = { ...short, bytes: source.bytes.slice() };
        other.bytes.fill(0x55, packetEnd);
        expect(unlessRefused(() => decode(short, version, from))).toEqual(
          unlessRefused(() => decode(other, version, from)),
        );
      }),
      { numRuns: 2000 },
    );
  });
});
