import type { ByteWriter } from './byte-writer.js';
import { type Auth, type Disconnect, PacketType, type ProtocolVersion } from './control-packet.js';
import { firstByteOf } from './fixed-header.js';
import { ReasonCode } from './reason-code.js';
import { hasProperties, writeProperties } from './write-properties.js';

/** DISCONNECT; its layout stands at `decodeDisconnect`. */
export function encodeDisconnect(
  writer: ByteWriter,
  packet: Disconnect,
  version: ProtocolVersion,
): Uint8Array {
  writer.begin();
  if (version === 5) {
    const { reasonCode } = packet;
    const anyProperties = hasProperties(PacketType.DISCONNECT, packet);
    if (reasonCode !== ReasonCode.NormalDisconnection || anyProperties) writer.byte(reasonCode);
    if (anyProperties) writeProperties(writer, PacketType.DISCONNECT, packet);
  }
  return writer.finish(firstByteOf(PacketType.DISCONNECT));
}

/** AUTH, which 5.0 alone has; its layout stands at `decodeAuth`. */
export function encodeAuth(writer: ByteWriter, packet: Auth): Uint8Array {
  writer.begin();
  if (packet.reasonCode !== ReasonCode.Success || hasProperties(PacketType.AUTH, packet)) {
    writer.byte(packet.reasonCode);
    writeProperties(writer, PacketType.AUTH, packet);
  }
  return writer.finish(firstByteOf(PacketType.AUTH));
}
