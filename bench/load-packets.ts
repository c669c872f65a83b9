/**
 * Pre-encoded packets of the load generator. They are made once: on the measured path only four
 * bytes of sequence number change.
 *
 *   payload:  publisher (2) | sequence (4) | filler
 */
import { generate } from 'mqtt-packet';

export type Version = 4 | 5;
export type QoS = 0 | 1 | 2;

export const PAYLOAD_BYTES_MIN = 6;

export function connectPacket(clientIdentifier: string, version: Version): Buffer {
  return generate(
    {
      cmd: 'connect',
      protocolId: 'MQTT',
      protocolVersion: version,
      clientId: clientIdentifier,
      clean: true,
      keepalive: 0,
      ...(version === 5 && { properties: { receiveMaximum: 65_535 } }),
    },
    { protocolVersion: version },
  );
}

export function subscribePacket(topic: string, qos: QoS, version: Version): Buffer {
  const subscriptions = [{ topic, qos }];
  return generate({ cmd: 'subscribe', messageId: 1, subscriptions }, { protocolVersion: version });
}

export interface PublishRing {
  /** `slots` packets of equal length, one behind the other; slot n has Packet Identifier n + 1. */
  readonly bytes: Buffer;
  readonly packetBytes: number;
  /** Where in a packet its sequence number stands. */
  readonly sequenceOffset: number;
}

export interface PublishRingOptions {
  readonly topic: string;
  readonly qos: QoS;
  readonly version: Version;
  readonly publisher: number;
  readonly payloadBytes: number;
  readonly slots: number;
}

export function publishRing(options: PublishRingOptions): PublishRing {
  const { topic, qos, version, publisher, payloadBytes, slots } = options;
  const payload = Buffer.alloc(payloadBytes, 'x');
  payload.writeUInt16BE(publisher, 0);
  const packets: Buffer[] = [];
  for (let slot = 0; slot < slots; slot++) {
    const messageId = slot + 1;
    packets.push(
      generate(
        { cmd: 'publish', topic, payload, qos, retain: false, dup: false, messageId },
        { protocolVersion: version },
      ),
    );
  }
  const packetBytes = packets[0]?.length ?? 0;
  const sequenceOffset = packetBytes - payloadBytes + 2;
  return { bytes: Buffer.concat(packets), packetBytes, sequenceOffset };
}
