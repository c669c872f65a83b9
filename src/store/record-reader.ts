import { isUtf8, utf8Text } from '../base/utf8.js';
import { DamagedRecord } from './damaged-record.js';

const NO_BYTES = new Uint8Array(0);

/** Reads one record strictly: whatever does not fit is a `DamagedRecord` that names the key. */
export class RecordReader {
  readonly #key: Uint8Array;
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(key: Uint8Array, bytes: Uint8Array, formatVersion: number) {
    this.#key = key;
    this.#bytes = bytes;
    const version = this.byte();
    if (version !== formatVersion) this.damaged(`its format version ${version} is not known`);
  }

  damaged(why: string): never {
    throw new DamagedRecord(this.#key, why);
  }

  byte(): number {
    return this.#bytes[this.#take(1)]!;
  }

  /** A byte in which only the bits of the mask may be set. */
  flags(mask: number): number {
    const flags = this.byte();
    if ((flags & ~mask) !== 0) this.damaged(`its flags 0x${flags.toString(16)} are not known`);
    return flags;
  }

  uint32(): number {
    return this.#uint32At(this.#take(4));
  }

  uint64(): number {
    const at = this.#take(8);
    const number = this.#uint32At(at) * 0x1_0000_0000 + this.#uint32At(at + 4);
    if (!Number.isSafeInteger(number)) this.damaged('a number is too large');
    return number;
  }

  float64(): number {
    const { buffer, byteOffset } = this.#bytes;
    const number = new DataView(buffer, byteOffset + this.#take(8), 8).getFloat64(0);
    if (Number.isNaN(number)) this.damaged('a time is not a number');
    return number;
  }

  varint(): number {
    let value = 0;
    for (let scale = 1; scale <= 0x1000_0000; scale *= 0x80) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
    return this.damaged('a length is too long');
  }

  prefixed(): Uint8Array {
    const length = this.varint();
    if (length === 0) return NO_BYTES;
    const at = this.#take(length);
    return this.#bytes.subarray(at, at + length);
  }

  text(): string {
    const bytes = this.prefixed();
    return this.textOf(bytes);
  }

  textOf(bytes: Uint8Array): string {
    if (!isUtf8(bytes, 0, bytes.length)) this.damaged('a text is not UTF-8');
    return utf8Text(bytes, 0, bytes.length);
  }

  rest(): Uint8Array {
    const at = this.#take(this.#bytes.length - this.#at);
    return this.#bytes.subarray(at);
  }

  end(): void {
    if (this.#at !== this.#bytes.length) {
      this.damaged(`${this.#bytes.length - this.#at} bytes follow its end`);
    }
  }

  #uint32At(at: number): number {
    const bytes = this.#bytes;
    const high = bytes[at]! * 0x100 + bytes[at + 1]!;
    return high * 0x1_0000 + bytes[at + 2]! * 0x100 + bytes[at + 3]!;
  }

  #take(length: number): number {
    const at = this.#at;
    if (at + length > this.#bytes.length) this.damaged(`it ends after ${this.#bytes.length} bytes`);
    this.#at = at + length;
    return at;
  }
}
