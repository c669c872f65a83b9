import { generate, type Packet } from 'mqtt-packet';
import type { Behaviour } from './behaviour.js';

/** A packet as the writes that one library makes of it. */
export function writesOf(packet: Packet, behaviour: Behaviour): Buffer[] {
  const bytes = generate(packet, { protocolVersion: behaviour.version });
  switch (behaviour.writes) {
    case 'packet':
      return [bytes];
    case 'bytes':
      return Array.from(bytes, (_, at) => bytes.subarray(at, at + 1));
    case 'header-then-payload':
      return packet.cmd === 'publish' ? cutAt(bytes, [payloadStart(bytes, packet)]) : [bytes];
    case 'fields':
      return cutAt(bytes, fieldStarts(bytes, packet));
  }
}

function payloadStart(bytes: Buffer, packet: Packet & { cmd: 'publish' }): number {
  return bytes.length - Buffer.byteLength(packet.payload);
}

function cutAt(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const ends = [...cuts.filter((cut) => cut > 0 && cut < bytes.length), bytes.length];
  return ends.map((end, index) => bytes.subarray(index === 0 ? 0 : ends[index - 1], end));
}

/** coreMQTT without `writev`: fixed header, length of the topic, topic, identifier, payload. */
function fieldStarts(bytes: Buffer, packet: Packet): number[] {
  const header = fixedHeaderBytes(bytes);
  if (packet.cmd === 'publish') {
    const topicBytes = bytes.readUInt16BE(header);
    return [header, header + 2, header + 2 + topicBytes, payloadStart(bytes, packet)];
  }
  if (packet.cmd === 'subscribe') {
    const properties = bytes[header + 2]!;
    const filter = header + 3 + properties;
    return [header + 2, filter, filter + 2, bytes.length - 1];
  }
  return [];
}

function fixedHeaderBytes(bytes: Buffer): number {
  return 1 + bytes.subarray(1).findIndex((byte) => byte < 0x80) + 1;
}
