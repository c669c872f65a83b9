const CHUNK_BYTES = 64 * 1024;

/**
 * Writes records one behind the other into large chunks that are never used again, so a record is a
 * view and costs no copy. Every record begins with its format version.
 */
export class RecordWriter {
  #bytes = new Uint8Array(0);
  #view = new DataView(this.#bytes.buffer);
  #start = 0;
  #at = 0;

  /** Begins a record that will have at most `bytesMax` bytes behind its format version. */
  begin(formatVersion: number, bytesMax: number): void {
    const needed = bytesMax + 1;
    if (this.#at + needed > this.#bytes.length) {
      this.#bytes = new Uint8Array(Math.max(CHUNK_BYTES, needed));
      this.#view = new DataView(this.#bytes.buffer);
      this.#at = 0;
    }
    this.#start = this.#at;
    this.byte(formatVersion);
  }

  end(): Uint8Array {
    return this.#bytes.subarray(this.#start, this.#at);
  }

  byte(value: number): void {
    this.#bytes[this.#at++] = value;
  }

  /** 4 bytes. */
  uint32(value: number): void {
    this.#view.setUint32(this.#at, value);
    this.#at += 4;
  }

  /** 8 bytes; whole numbers up to 2^53. */
  uint64(value: number): void {
    this.#view.setUint32(this.#at, Math.floor(value / 0x1_0000_0000));
    this.#view.setUint32(this.#at + 4, value >>> 0);
    this.#at += 8;
  }

  /** 8 bytes. */
  float64(value: number): void {
    this.#view.setFloat64(this.#at, value);
    this.#at += 8;
  }

  /** Up to 5 bytes, seven bits each, the least first. */
  varint(value: number): void {
    let rest = value;
    while (rest >= 0x80) {
      this.#bytes[this.#at++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.#bytes[this.#at++] = rest;
  }

  /** The length as a varint, then the bytes. */
  prefixed(bytes: Uint8Array): void {
    this.varint(bytes.length);
    this.rest(bytes);
  }

  rest(bytes: Uint8Array): void {
    this.#bytes.set(bytes, this.#at);
    this.#at += bytes.length;
  }
}
