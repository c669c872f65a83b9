import { assert } from '../base/assert.js';
import { utf8Bytes } from '../base/utf8.js';
import type { UserProperty } from './control-packet.js';

const STRING_BYTES_MAX = 65_535;
const VARIABLE_BYTE_INTEGER_MAX = 268_435_455;
/** Room in front of the body for the longest Fixed Header. */
const HEADER_BYTES_MAX = 5;
const CAPACITY_BYTES_INITIAL = 512;
/** A buffer that one large packet made larger than this is not kept for the next. */
const CAPACITY_BYTES_KEPT = 65_536;

/** How many bytes a Variable Byte Integer takes in its shortest form. [MQTT-1.5.5-1] */
export function variableByteIntegerLength(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  return value < 0x200000 ? 3 : 4;
}

/**
 * Writes the specification's data types (5.0, section 1.5) into one packet: `begin`, the fields of
 * the body, `finish`. A value that no packet can hold is the caller's fault and fails an assertion.
 */
export class ByteWriter {
  #bytes = new Uint8Array(CAPACITY_BYTES_INITIAL);
  #at = HEADER_BYTES_MAX;

  begin(): void {
    this.#at = HEADER_BYTES_MAX;
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#at++] = value;
  }

  twoByteInteger(value: number): void {
    assert(value >= 0 && value <= 0xffff, 'a Two Byte Integer is 0 to 65,535');
    this.#reserve(2);
    this.#bytes[this.#at++] = value >>> 8;
    this.#bytes[this.#at++] = value;
  }

  fourByteInteger(value: number): void {
    assert(value >= 0 && value <= 0xffffffff, 'a Four Byte Integer is 0 to 4,294,967,295');
    this.twoByteInteger(Math.floor(value / 0x10000));
    this.twoByteInteger(value % 0x10000);
  }

  variableByteInteger(value: number): void {
    assert(
      value >= 0 && value <= VARIABLE_BYTE_INTEGER_MAX,
      'a Variable Byte Integer is 0 to 268,435,455',
    );
    this.#reserve(4);
    this.#at = putVariableByteInteger(this.#bytes, this.#at, value);
  }

  utf8String(text: string): void {
    assert(!text.includes('\0'), 'a UTF-8 Encoded String has no U+0000'); // [MQTT-1.5.4-2]
    this.binaryData(utf8Bytes(text));
  }

  utf8StringPair([name, value]: UserProperty): void {
    this.utf8String(name);
    this.utf8String(value);
  }

  binaryData(bytes: Uint8Array): void {
    assert(bytes.length <= STRING_BYTES_MAX, 'strings and Binary Data have at most 65,535 bytes');
    this.twoByteInteger(bytes.length);
    this.raw(bytes);
  }

  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  /** Writes what `content` writes, with its length as a Variable Byte Integer in front. */
  lengthPrefixed(content: () => void): void {
    const lengthAt = this.#at;
    this.#reserve(4);
    this.#at += 1;
    content();
    const length = this.#at - lengthAt - 1;
    const extra = variableByteIntegerLength(length) - 1;
    if (extra > 0) {
      this.#reserve(extra);
      this.#bytes.copyWithin(lengthAt + 1 + extra, lengthAt + 1, this.#at);
      this.#at += extra;
    }
    putVariableByteInteger(this.#bytes, lengthAt, length);
  }

  /** The whole packet, an exact copy. */
  finish(firstByte: number): Uint8Array {
    const length = this.#at - HEADER_BYTES_MAX;
    assert(length <= VARIABLE_BYTE_INTEGER_MAX, 'a packet has at most 268,435,455 bytes');
    const start = HEADER_BYTES_MAX - 1 - variableByteIntegerLength(length);
    this.#bytes[start] = firstByte;
    putVariableByteInteger(this.#bytes, start + 1, length);
    return this.#copyFrom(start);
  }

  /** The fields alone, without a Fixed Header: an exact copy. */
  body(): Uint8Array {
    return this.#copyFrom(HEADER_BYTES_MAX);
  }

  #copyFrom(start: number): Uint8Array {
    const copy = this.#bytes.slice(start, this.#at);
    if (this.#bytes.length > CAPACITY_BYTES_KEPT) {
      this.#bytes = new Uint8Array(CAPACITY_BYTES_INITIAL);
    }
    return copy;
  }

  #reserve(count: number): void {
    const needed = this.#at + count;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    grown.set(this.#bytes.subarray(0, this.#at));
    this.#bytes = grown;
  }
}

/** Returns the index behind it. */
function putVariableByteInteger(bytes: Uint8Array, start: number, value: number): number {
  let at = start;
  let rest = value;
  while (rest > 0x7f) {
    bytes[at++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  bytes[at++] = rest;
  return at;
}
