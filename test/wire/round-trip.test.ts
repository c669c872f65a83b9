import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Connect,
  type ControlPacket,
  PacketType,
  type ProtocolVersion,
} from '../../src/wire/control-packet.js';
import { decode } from '../../src/wire/decode.js';
import { encode } from '../../src/wire/encode.js';
import { Framer } from '../../src/wire/framer.js';
import { isAllowedIn, ReasonCode } from '../../src/wire/reason-code.js';
import { reasonCodeOfReturnCode, returnCodeOfReasonCode } from '../../src/wire/return-code.js';
import { anySent, type Sent } from './arbitrary-packets.js';
import { decoded } from './bytes.js';

const NO_OPTIONS = { noLocal: false, retainAsPublished: false, retainHandling: 0 } as const;

/** What remains of a packet in a version that lacks some of it. */
function inVersion(packet: ControlPacket, version: ProtocolVersion): ControlPacket {
  if (version === 5) return packet;
  switch (packet.type) {
    case PacketType.CONNECT:
      return connectInOldVersion(packet);
    case PacketType.CONNACK: {
      const { type, reasonCode } = packet;
      const sessionPresent = packet.sessionPresent && version === 4;
      const known = reasonCodeOfReturnCode(returnCodeOfReasonCode(reasonCode));
      return { type, sessionPresent, reasonCode: known };
    }
    case PacketType.PUBLISH: {
      const { type, dup, qos, retain, topicName, packetIdentifier, payload } = packet;
      return { type, dup, qos, retain, topicName, packetIdentifier, payload };
    }
    case PacketType.PUBACK:
    case PacketType.PUBREC:
    case PacketType.PUBREL:
    case PacketType.PUBCOMP:
      return {
        type: packet.type,
        packetIdentifier: packet.packetIdentifier,
        reasonCode: ReasonCode.Success,
      };
    case PacketType.SUBSCRIBE:
      return {
        ...packet,
        subscriptionIdentifier: undefined,
        userProperties: [],
        entries: packet.entries.map(({ topicFilter, options: { qos } }) => ({
          topicFilter,
          options: { qos, ...NO_OPTIONS },
        })),
      };
    case PacketType.UNSUBSCRIBE:
      return { ...packet, userProperties: [] };
    case PacketType.SUBACK:
      return {
        type: packet.type,
        packetIdentifier: packet.packetIdentifier,
        reasonCodes: packet.reasonCodes.map((code) => Math.min(code, 0x80) as ReasonCode),
      };
    case PacketType.UNSUBACK:
      return {
        type: packet.type,
        packetIdentifier: packet.packetIdentifier,
        reasonCodes: [],
      };
    case PacketType.DISCONNECT:
      return { type: packet.type, reasonCode: ReasonCode.NormalDisconnection };
    default:
      return packet;
  }
}

function connectInOldVersion(packet: Connect): Connect {
  return {
    ...packet,
    will: packet.will && {
      ...packet.will,
      delayIntervalSeconds: 0,
      messageExpiryIntervalSeconds: undefined,
      payloadFormatIndicator: 0,
      forwardedProperties: new Uint8Array(0),
    },
    sessionExpiryIntervalSeconds: 0,
    receiveMaximum: 65_535,
    maximumPacketSizeBytes: undefined,
    topicAliasMaximum: 0,
    requestResponseInformation: false,
    requestProblemInformation: true,
    userProperties: [],
    authenticationMethod: undefined,
    authenticationData: undefined,
  };
}

/** No Local on a share is the one combination of options that 5.0 forbids. */
function isLawful({ packet }: Sent): boolean {
  return (
    packet.type !== PacketType.SUBSCRIBE ||
    !packet.entries.some((entry) => entry.topicFilter.startsWith('$share/'))
  );
}

describe('encode and decode', () => {
  it('give back every packet in every version', () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(anySent.filter(isLawful), ({ packet, version, from }) => {
        seen.add(`${packet.type} in ${version}`);
        const whole = encode(packet, version);
        expect(decoded(whole, version, from)).toEqual(inVersion(packet, version));
      }),
      { numRuns: 3000 },
    );
    expect(seen.size).toBe(14 * 3 + 1);
  });

  it('give back the very bytes of what was decoded', () => {
    fc.assert(
      fc.property(anySent.filter(isLawful), ({ packet, version, from }) => {
        const whole = encode(packet, version);
        expect(encode(decoded(whole, version, from), version)).toEqual(whole);
      }),
      { numRuns: 1000 },
    );
  });

  it('give back a stream of packets through the Framer, however it is cut', () => {
    const ofServer = anySent.filter((sent) => sent.version === 5 && sent.from === 'server');
    fc.assert(
      fc.property(
        fc.array(ofServer, { maxLength: 8 }),
        fc.array(fc.integer({ min: 1, max: 60 }), { maxLength: 30 }),
        (sent, cuts) => {
          const stream = Buffer.concat(sent.map(({ packet }) => encode(packet, 5)));
          const framer = new Framer(10_000);
          const found: ControlPacket[] = [];
          let at = 0;
          for (const cut of [...cuts, stream.length]) {
            const chunk = Buffer.from(stream.subarray(at, at + cut));
            at += cut;
            framer.push(chunk);
            while (framer.next()) found.push(decode(framer, 5, 'server'));
            chunk.fill(0xff);
          }
          expect(found).toEqual(sent.map(({ packet }) => packet));
        },
      ),
      { numRuns: 200 },
    );
  });

  it('knows a Reason Code for every packet that has one', () => {
    for (const code of Object.values(ReasonCode)) {
      const types = Object.values(PacketType);
      expect(
        types.some(
          (type) => isAllowedIn(code, type, 'server') || isAllowedIn(code, type, 'client'),
        ),
      ).toBe(true);
    }
  });
});
