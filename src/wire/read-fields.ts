import type { ByteReader } from './byte-reader.js';
import type { PacketType, Sender } from './control-packet.js';
import { protocolError } from './protocol-violation.js';
import { isAllowedIn, type ReasonCode, reasonCodeStatement } from './reason-code.js';

export function readPacketIdentifier(reader: ByteReader): number {
  const packetIdentifier = reader.twoByteInteger('Packet Identifier');
  if (packetIdentifier === 0) {
    const statement = reader.version === 5 ? 'MQTT-2.2.1-3' : 'MQTT-2.3.1-1';
    protocolError(`${reader.packetName}: the Packet Identifier is 0`, statement);
  }
  return packetIdentifier;
}

/** A Reason Code that 5.0 lets this sender use in this packet. */
export function readReasonCode(reader: ByteReader, type: PacketType, from: Sender): ReasonCode {
  const code = reader.byte('Reason Code');
  if (!isAllowedIn(code, type, from)) {
    const hex = code.toString(16).padStart(2, '0');
    const sentence = `${reader.packetName}: a ${from} may not use Reason Code 0x${hex} here`;
    protocolError(sentence, reasonCodeStatement(type));
  }
  return code;
}
