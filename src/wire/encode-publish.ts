import type { ByteWriter } from './byte-writer.js';
import { PacketType, type ProtocolVersion, type PublishPacket } from './control-packet.js';
import { writeProperties } from './write-properties.js';

/** PUBLISH from a value; its layout stands at `decodePublish`. */
export function encodePublish(
  writer: ByteWriter,
  packet: PublishPacket,
  version: ProtocolVersion,
): Uint8Array {
  writer.begin();
  writer.utf8String(packet.topicName);
  if (packet.qos > 0) writer.twoByteInteger(packet.packetIdentifier);
  if (version === 5) writeProperties(writer, PacketType.PUBLISH, packet);
  writer.raw(packet.payload);
  const dup = packet.dup && packet.qos > 0 ? 0x08 : 0; // [MQTT-3.3.1-2]
  return writer.finish(
    (PacketType.PUBLISH << 4) | dup | (packet.qos << 1) | (packet.retain ? 1 : 0),
  );
}
