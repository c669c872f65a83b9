import type { ByteWriter } from './byte-writer.js';
import type { Acknowledgement, AcknowledgementType, ProtocolVersion } from './control-packet.js';
import { firstByteOf } from './fixed-header.js';
import { ReasonCode } from './reason-code.js';
import { hasProperties, writeProperties } from './write-properties.js';

/** PUBACK, PUBREC, PUBREL, PUBCOMP; the layout stands at `decodeAcknowledgement`. */
export function encodeAcknowledgement(
  writer: ByteWriter,
  packet: Acknowledgement,
  version: ProtocolVersion,
): Uint8Array {
  const { type, reasonCode } = packet;
  writer.begin();
  writer.twoByteInteger(packet.packetIdentifier);
  if (version === 5) {
    const anyProperties = hasProperties(type, packet);
    if (reasonCode !== ReasonCode.Success || anyProperties) writer.byte(reasonCode);
    if (anyProperties) writeProperties(writer, type, packet);
  }
  return writer.finish(firstByteOf(type));
}

/** How many bytes `writeSuccess` writes. */
export const SUCCESS_BYTES = 4;

/** Writes an acknowledgement with Success, which all versions encode alike, without allocation. */
export function writeSuccess(
  target: Uint8Array,
  at: number,
  type: AcknowledgementType,
  packetIdentifier: number,
): void {
  target[at] = firstByteOf(type);
  target[at + 1] = 2;
  target[at + 2] = packetIdentifier >>> 8;
  target[at + 3] = packetIdentifier;
}
