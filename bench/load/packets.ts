/**
 * Pre-encoded packets of the load generator. They are made once: on the measured path only four
 * bytes of sequence number change.
 *
 *   payload:  publisher (2) | sequence (4) | filler
 */
import { generate, type IConnackPacket, type Packet, parser } from 'mqtt-packet';
import { binaryFrame } from './websocket-frames.js';

/** Protocol Version: 4 is 3.1.1. */
export type Version = 4 | 5;
export type QoS = 0 | 1 | 2;

export const PAYLOAD_BYTES_MIN = 6;
const FILTERS_PER_SUBSCRIBE = 200;
const SESSION_EXPIRY_SECONDS = 3600;
const UINT16_MAX = 65_535;
const TOPIC_ALIAS = 1;
/** A prime: neighbours in time are no neighbours in any index. */
const TOPIC_STRIDE = 7919;
/** A delivery with this sequence number is none of the load. */
export const PROLOGUE_SEQUENCE = 0xffff_ffff;

export interface ConnectOptions {
  readonly clientIdentifier: string;
  readonly version: Version;
  /** The Session outlives the connection. */
  readonly isPersistent: boolean;
  readonly topicAliasMaximum: number;
}

export function connectPacket(options: ConnectOptions): Buffer {
  const { clientIdentifier, version, isPersistent, topicAliasMaximum } = options;
  const properties = {
    receiveMaximum: UINT16_MAX,
    ...(topicAliasMaximum > 0 && { topicAliasMaximum }),
    ...(isPersistent && { sessionExpiryInterval: SESSION_EXPIRY_SECONDS }),
  };
  return encode(version, {
    cmd: 'connect',
    protocolId: 'MQTT',
    protocolVersion: version,
    clientId: clientIdentifier,
    clean: !isPersistent,
    keepalive: 0,
    ...(version === 5 && { properties }),
  });
}

/** As many packets as many filters need; their Packet Identifiers count from 1. */
export function subscribePackets(filters: readonly string[], qos: QoS, version: Version): Buffer[] {
  const packets: Buffer[] = [];
  for (let from = 0; from < filters.length; from += FILTERS_PER_SUBSCRIBE) {
    const some = filters.slice(from, from + FILTERS_PER_SUBSCRIBE);
    const subscriptions = some.map((topic) => ({ topic, qos }));
    packets.push(
      encode(version, { cmd: 'subscribe', messageId: packets.length + 1, subscriptions }),
    );
  }
  return packets;
}

export interface PublishRing {
  /** `slots` packets of equal length, one behind the other; slot n has Packet Identifier n + 1. */
  readonly bytes: Buffer;
  readonly slots: number;
  readonly packetBytes: number;
  /** Where in a packet its sequence number stands. */
  readonly sequenceOffset: number;
  /** To be sent before the ring: sets the Topic Alias. */
  readonly prologue: Buffer | undefined;
}

export interface PublishRingOptions {
  /** Of equal length; the slots are spread over all of them. */
  readonly topics: readonly string[];
  readonly qos: QoS;
  readonly version: Version;
  readonly publisher: number;
  readonly payloadBytes: number;
  readonly slots: number;
  readonly withProperties: boolean;
  readonly withTopicAlias: boolean;
  readonly isRetained: boolean;
  readonly inWebSocketFrames: boolean;
}

export function publishRing(options: PublishRingOptions): PublishRing {
  const { topics, publisher, payloadBytes, slots, withTopicAlias } = options;
  const payload = Buffer.alloc(payloadBytes, 'x');
  payload.writeUInt16BE(publisher, 0);
  payload.writeUInt32BE(PROLOGUE_SEQUENCE, 2);
  const publish = (topic: string, messageId: number): Buffer => {
    const packet = publishPacket(options, topic, payload, messageId);
    return options.inWebSocketFrames ? binaryFrame(packet) : packet;
  };
  const packets = Array.from({ length: slots }, (_, slot) =>
    publish(withTopicAlias ? '' : topics[(slot * TOPIC_STRIDE) % topics.length]!, slot + 1),
  );
  const packetBytes = packets[0]!.length;
  return {
    bytes: Buffer.concat(packets),
    slots,
    packetBytes,
    sequenceOffset: packetBytes - payloadBytes + 2,
    prologue: withTopicAlias ? publish(topics[0]!, UINT16_MAX) : undefined,
  };
}

function publishPacket(
  options: PublishRingOptions,
  topic: string,
  payload: Buffer,
  messageId: number,
): Buffer {
  const { qos, version, withProperties, withTopicAlias, isRetained: retain } = options;
  const properties = {
    ...(withTopicAlias && { topicAlias: TOPIC_ALIAS }),
    ...(withProperties && {
      messageExpiryInterval: 3600,
      contentType: 'application/octet-stream',
      userProperties: { unit: 'celsius', firmware: '1.4.2' },
    }),
  };
  const fields = { topic, payload, qos, retain, dup: false, messageId, properties };
  return encode(version, { cmd: 'publish', ...fields });
}

/** Four-byte acknowledgements, glued: `identifiers` holds two bytes for each. */
export function acknowledgements(firstByte: number, identifiers: readonly number[]): Buffer {
  const packets = Buffer.allocUnsafe(identifiers.length * 2);
  for (let from = 0, to = 0; from < identifiers.length; from += 2, to += 4) {
    packets[to] = firstByte;
    packets[to + 1] = 2;
    packets[to + 2] = identifiers[from]!;
    packets[to + 3] = identifiers[from + 1]!;
  }
  return packets;
}

/** Messages that the broker lets a publisher have unacknowledged. Throws when it was refused. */
export function grantedReceiveMaximum(connack: Uint8Array, version: Version): number {
  let granted = UINT16_MAX;
  const packets = parser({ protocolVersion: version });
  packets.on('packet', (packet) => {
    const { reasonCode, returnCode, properties } = packet as IConnackPacket;
    const code = reasonCode ?? returnCode ?? 0;
    if (code !== 0) throw new Error(`the broker refused a client: ${code}`);
    granted = properties?.receiveMaximum ?? granted;
  });
  packets.parse(Buffer.from(connack));
  return granted;
}

export function encode(version: Version, packet: Packet): Buffer {
  return generate(packet, { protocolVersion: version });
}
