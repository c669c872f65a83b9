import type { PacketBytes } from '../../src/wire/byte-reader.js';
import { variableByteIntegerLength } from '../../src/wire/byte-writer.js';
import type { ControlPacket, ProtocolVersion, Sender } from '../../src/wire/control-packet.js';
import { decode } from '../../src/wire/decode.js';
import { ProtocolViolation } from '../../src/wire/protocol-violation.js';

/** Bytes from hex pairs and quoted text: `00 04 'MQTT' 05`. */
export function bytes(text: string): Uint8Array {
  const parts = text.match(/'[^']*'|[0-9a-fA-F]{2}/g) ?? [];
  return Uint8Array.from(
    parts.flatMap((part) =>
      part.startsWith("'") ? [...Buffer.from(part.slice(1, -1))] : [Number.parseInt(part, 16)],
    ),
  );
}

/** A whole packet: the first byte, then the body; the Remaining Length is filled in. */
export function packet(firstByte: number, body: string | Uint8Array): Uint8Array {
  const content = typeof body === 'string' ? bytes(body) : body;
  const length: number[] = [];
  let rest = content.length;
  for (let i = variableByteIntegerLength(rest); i > 0; i--) {
    length.push((rest & 0x7f) | (i > 1 ? 0x80 : 0));
    rest >>= 7;
  }
  return Uint8Array.from([firstByte, ...length, ...content]);
}

/** The packet in the middle of other bytes, so that a decoder that leaves its bounds is caught. */
export function placed(whole: Uint8Array): PacketBytes {
  const before = 3;
  const surrounding = new Uint8Array(before + whole.length + 8).fill(0xaa);
  surrounding.set(whole, before);
  let bodyStart = before + 1;
  while (surrounding[bodyStart]! >= 0x80) bodyStart++;
  return {
    bytes: surrounding,
    packetStart: before,
    bodyStart: bodyStart + 1,
    packetEnd: before + whole.length,
  };
}

export function decoded(
  whole: Uint8Array,
  version: ProtocolVersion,
  from: Sender = 'client',
): ControlPacket {
  return decode(placed(whole), version, from);
}

/** What the act is refused with: reason code in hexadecimal and statement; fails if it is not. */
export function refusal(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (!(error instanceof ProtocolViolation)) throw error;
    return `${error.reasonCode.toString(16)} ${error.statement}`.trim();
  }
  throw new Error('nothing was refused');
}
