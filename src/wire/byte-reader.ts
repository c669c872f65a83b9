import { isUtf8, utf8Text } from '../base/utf8.js';
import type { ProtocolVersion } from './control-packet.js';
import { keep } from './keep.js';
import { packetTypeName } from './packet-type-name.js';
import { malformed } from './protocol-violation.js';

/** One whole packet inside a buffer; a `Framer` is one. `bytes[packetStart]` is the first byte. */
export interface PacketBytes {
  readonly bytes: Uint8Array;
  readonly packetStart: number;
  /** Behind the Fixed Header. */
  readonly bodyStart: number;
  readonly packetEnd: number;
  /** The bytes are this packet's alone and stay as they are: keeping a part needs no copy. */
  readonly isOwned?: boolean;
}

/**
 * Statement ids for ill-formed UTF-8 and U+0000; the two specifications number them differently.
 */
export function utf8Statement(
  bytes: Uint8Array,
  start: number,
  end: number,
  version: ProtocolVersion,
): string {
  const hasNull = bytes.subarray(start, end).includes(0);
  return `MQTT-1.5.${version === 5 ? 4 : 3}-${hasNull ? 2 : 1}`;
}

/**
 * Reads the specification's data types (5.0, section 1.5) out of one packet; `field` names what is
 * read, for the sentence of the violation. Everything it returns is a copy.
 */
export class ByteReader {
  readonly bytes: Uint8Array;
  readonly version: ProtocolVersion;
  /** Index of the next byte. */
  at: number;
  end: number;
  readonly #type: number;

  constructor(
    source: PacketBytes,
    version: ProtocolVersion,
    type: number = source.bytes[source.packetStart]! >> 4,
  ) {
    this.bytes = source.bytes;
    this.version = version;
    this.at = source.bodyStart;
    this.end = source.packetEnd;
    this.#type = type;
  }

  get packetName(): string {
    return packetTypeName(this.#type);
  }

  get atEnd(): boolean {
    return this.at === this.end;
  }

  byte(field: string): number {
    return this.bytes[this.#take(1, field)]!;
  }

  twoByteInteger(field: string): number {
    const at = this.#take(2, field);
    return (this.bytes[at]! << 8) | this.bytes[at + 1]!;
  }

  fourByteInteger(field: string): number {
    return this.twoByteInteger(field) * 0x10000 + this.twoByteInteger(field);
  }

  variableByteInteger(field: string): number {
    let value = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.byte(field);
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) {
        if (byte === 0 && shift > 0)
          this.malformed(`${field} is not in its shortest form`, SHORTEST);
        return value;
      }
    }
    return this.malformed(`${field} is longer than four bytes`);
  }

  utf8String(field: string): string {
    const length = this.twoByteInteger(field);
    const start = this.#take(length, field);
    if (!isUtf8(this.bytes, start, this.at)) {
      const statement = utf8Statement(this.bytes, start, this.at, this.version);
      this.malformed(`${field} is not well-formed UTF-8 without U+0000`, statement);
    }
    return utf8Text(this.bytes, start, this.at);
  }

  binaryData(field: string): Uint8Array {
    const length = this.twoByteInteger(field);
    const start = this.#take(length, field);
    return keep(this.bytes, start, this.at);
  }

  /** Nothing may follow the last field. */
  expectEnd(statement = ''): void {
    if (this.at !== this.end) {
      this.malformed(`${this.end - this.at} bytes follow the last field`, statement);
    }
  }

  malformed(sentence: string, statement = ''): never {
    malformed(`${this.packetName}: ${sentence}`, statement);
  }

  #take(count: number, field: string): number {
    const at = this.at;
    if (at + count > this.end) this.malformed(`the packet ends inside its ${field}`);
    this.at = at + count;
    return at;
  }
}

const SHORTEST = 'MQTT-1.5.5-1';
