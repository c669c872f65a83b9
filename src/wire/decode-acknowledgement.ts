import { ByteReader, type PacketBytes } from './byte-reader.js';
import type {
  Acknowledgement,
  AcknowledgementType,
  ProtocolVersion,
  Sender,
} from './control-packet.js';
import type { PropertyValues } from './property.js';
import { readPacketIdentifier, readReasonCode } from './read-fields.js';
import { readProperties } from './read-properties.js';
import { ReasonCode } from './reason-code.js';

const NO_PROPERTIES: PropertyValues = {};

/**
 * PUBACK, PUBREC, PUBREL, PUBCOMP.
 *
 *     Packet Identifier  Two Byte Integer
 *     Reason Code        5.0; left out: Success
 *     Properties         5.0; left out: none
 */
export function decodeAcknowledgement(
  source: PacketBytes,
  version: ProtocolVersion,
  from: Sender,
): Acknowledgement {
  const reader = new ByteReader(source, version);
  const type = (source.bytes[source.packetStart]! >> 4) as AcknowledgementType;
  const packetIdentifier = readPacketIdentifier(reader);
  let reasonCode: ReasonCode = ReasonCode.Success;
  let properties = NO_PROPERTIES;
  if (version === 5 && !reader.atEnd) {
    reasonCode = readReasonCode(reader, type, from);
    if (!reader.atEnd) properties = readProperties(reader, type);
  }
  reader.expectEnd();
  const { reasonString, userProperties } = properties;
  return { type, packetIdentifier, reasonCode, reasonString, userProperties };
}
