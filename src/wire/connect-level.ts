import type { PacketBytes } from './byte-reader.js';
import { PacketType } from './control-packet.js';

/** The Protocol Level of a CONNECT that could not be decoded; 0 when there is none to be seen. */
export function connectLevel(packet: PacketBytes): number {
  const { bytes, packetStart, bodyStart, packetEnd } = packet;
  const isConnect = packetStart < packetEnd && bytes[packetStart]! >>> 4 === PacketType.CONNECT;
  if (!isConnect || bodyStart + 2 > packetEnd) return 0;
  const at = bodyStart + 2 + ((bytes[bodyStart]! << 8) | bytes[bodyStart + 1]!);
  return at < packetEnd ? bytes[at]! : 0;
}
