import type { ByteWriter } from './byte-writer.js';
import { type Connack, PacketType, type ProtocolVersion } from './control-packet.js';
import { firstByteOf } from './fixed-header.js';
import { ReasonCode } from './reason-code.js';
import { returnCodeOfReasonCode } from './return-code.js';
import { writeProperties } from './write-properties.js';

/** CONNACK; its layout stands at `decodeConnack`. */
export function encodeConnack(
  writer: ByteWriter,
  packet: Connack,
  version: ProtocolVersion,
): Uint8Array {
  const { reasonCode } = packet;
  const accepted = reasonCode === ReasonCode.Success;
  writer.begin();
  writer.byte(packet.sessionPresent && accepted && version !== 3 ? 1 : 0); // [MQTT-3.2.2-6]
  if (version === 5) {
    writer.byte(reasonCode);
    writeProperties(writer, PacketType.CONNACK, packet);
  } else {
    writer.byte(returnCodeOfReasonCode(reasonCode));
  }
  return writer.finish(firstByteOf(PacketType.CONNACK));
}
