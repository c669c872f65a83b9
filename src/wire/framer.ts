import { keep } from './keep.js';
import { malformed, ProtocolViolation } from './protocol-violation.js';
import { ReasonCode } from './reason-code.js';

const NO_BYTES = new Uint8Array(0);
/** A Fixed Header takes at most five bytes. */
const HEADER_BYTES_MAX = 5;
/** A packet up to this size is gathered in a buffer that was lent; a larger one needs its own. */
const LENT_BYTES_MAX = 32_768;
/** After this many bytes a packet up to `AT_ONCE_BYTES_MAX` is taken at its word. */
const BEGUN_BYTES = 16_384;
const AT_ONCE_BYTES_MAX = 1_048_576;

/** Where a packet that comes in pieces is gathered. Buffers may be longer than asked for. */
export interface LentBuffers {
  take(bytes: number): Uint8Array;
  release(buffer: Uint8Array): void;
}

/** For a framer that shares with nobody. */
const newBuffers: LentBuffers = { take: (bytes) => new Uint8Array(bytes), release() {} };

/**
 * Cuts a byte stream into whole MQTT Control Packets. A packet inside one chunk is found in place;
 * one that spans chunks is gathered in a buffer that grows with what was really received.
 *
 *     push(chunk)   while (next()) { use bytes[packetStart, packetEnd) }
 *
 * `bytes` and the offsets are valid from a `next()` that returned true until the following `next()`
 * or `push()`. After `next()` returned false the chunk is no longer referred to.
 */
export class Framer {
  /** Upper bound of a whole packet with its Fixed Header; may be changed between packets. */
  packetBytesMax: number;
  bytes: Uint8Array = NO_BYTES;
  packetStart = 0;
  bodyStart = 0;
  packetEnd = 0;
  /** The packet has a buffer of its own, in which nothing else will ever be written. */
  isOwned = false;
  readonly #buffers: LentBuffers;
  /** Holds the present packet, and goes back when the next one is asked for. */
  #lent: Uint8Array | undefined = undefined;
  #chunk: Uint8Array = NO_BYTES;
  #at = 0;
  /** The chunk is a copy of our own. */
  #isHeld = false;
  /** The beginning of a packet whose end has not come yet. */
  #partial: Uint8Array | undefined;
  #partialIsLent = false;
  #partialLength = 0;
  #partialBodyStart = 0;
  /** Size of the partial packet; 0 until its Remaining Length is complete. */
  #partialPacketLength = 0;

  constructor(packetBytesMax: number, buffers: LentBuffers = newBuffers) {
    this.packetBytesMax = packetBytesMax;
    this.#buffers = buffers;
  }

  /** Bytes that this object itself holds: those of a partial packet. */
  get bufferedBytes(): number {
    return this.#partialLength;
  }

  /** All that was pushed was in whole packets, and those have been taken. */
  get isEmpty(): boolean {
    return this.#at === this.#chunk.length && this.#partial === undefined;
  }

  /** The chunk must stay unchanged until `next()` returns false or `holdRest()` is called. */
  push(chunk: Uint8Array): void {
    if (this.#at === this.#chunk.length) {
      this.#chunk = chunk;
      this.#isHeld = false;
    } else {
      const rest = this.#chunk.length - this.#at;
      const joined = new Uint8Array(rest + chunk.length);
      joined.set(this.#chunk.subarray(this.#at));
      joined.set(chunk, rest);
      this.#chunk = joined;
      this.#isHeld = true;
    }
    this.#at = 0;
  }

  /**
   * Copies what is unread, for a reader that stops in the middle of a chunk and goes on in a later
   * tick. Once for each chunk: a reader may stop behind every packet of it.
   */
  holdRest(): void {
    if (this.#isHeld) return;
    this.#chunk = keep(this.#chunk, this.#at);
    this.#at = 0;
    this.#isHeld = true;
  }

  /** False when no further whole packet is there. Throws `ProtocolViolation`. */
  next(): boolean {
    if (this.#lent !== undefined) this.#giveBack(this.#lent);
    if (this.#partial !== undefined) return this.#nextAcrossChunks(this.#partial);
    const bytes = this.#chunk;
    const start = this.#at;
    const end = bytes.length;
    let at = start + 1;
    if (at >= end) return this.#keepRest();
    let length = bytes[at++]!;
    if (length >= 0x80) {
      length &= 0x7f;
      let shift = 7;
      let byte: number;
      do {
        if (at >= end) return this.#keepRest();
        byte = bytes[at++]!;
        length |= (byte & 0x7f) << shift;
        shift += 7;
      } while (byte >= 0x80 && shift < 28);
      checkLengthEnd(byte);
    }
    const packetEnd = at + length;
    this.#checkHeader(bytes[start]!, packetEnd - start);
    if (packetEnd > end) return this.#keepRest();
    this.bytes = bytes;
    this.packetStart = start;
    this.bodyStart = at;
    this.packetEnd = packetEnd;
    this.isOwned = false;
    this.#at = packetEnd;
    return true;
  }

  #checkHeader(firstByte: number, packetLength: number): void {
    checkType(firstByte);
    if (packetLength > this.packetBytesMax) {
      throw new ProtocolViolation(
        ReasonCode.PacketTooLarge,
        `The packet has ${packetLength} bytes; the limit is ${this.packetBytesMax}`,
        'MQTT-3.2.2-15',
      );
    }
  }

  /** Nothing whole is left in the chunk: copies the rest and lets the chunk go. */
  #keepRest(): false {
    const length = this.#chunk.length - this.#at;
    if (length > 0) {
      checkType(this.#chunk[this.#at]!);
      const partial = this.#buffers.take(Math.max(length, HEADER_BYTES_MAX));
      partial.set(this.#chunk.subarray(this.#at));
      this.#partial = partial;
      this.#partialIsLent = true;
      this.#partialLength = length;
      this.#partialPacketLength = 0;
      this.#readPartialHeader(partial);
    }
    this.#releaseChunk();
    return false;
  }

  #nextAcrossChunks(partial: Uint8Array): boolean {
    const chunk = this.#chunk;
    while (this.#partialPacketLength === 0) {
      if (this.#at === chunk.length) return this.#releaseChunk();
      partial[this.#partialLength++] = chunk[this.#at++]!;
      this.#readPartialHeader(partial);
    }
    const available = chunk.length - this.#at;
    const taken = Math.min(available, this.#partialPacketLength - this.#partialLength);
    const gathered = this.#withRoomFor(partial, this.#partialLength + taken);
    gathered.set(chunk.subarray(this.#at, this.#at + taken), this.#partialLength);
    this.#partialLength += taken;
    this.#at += taken;
    if (this.#partialLength < this.#partialPacketLength) return this.#releaseChunk();
    this.bytes = gathered;
    this.packetStart = 0;
    this.bodyStart = this.#partialBodyStart;
    this.packetEnd = this.#partialPacketLength;
    this.isOwned = !this.#partialIsLent;
    if (this.#partialIsLent) this.#lent = gathered;
    this.#partial = undefined;
    this.#partialLength = 0;
    return true;
  }

  /**
   * Notes where the body begins and how long the packet is, once the Remaining Length is complete.
   */
  #readPartialHeader(partial: Uint8Array): void {
    let length = 0;
    for (let at = 1; at < this.#partialLength && at < HEADER_BYTES_MAX; at++) {
      const byte = partial[at]!;
      length |= (byte & 0x7f) << (7 * (at - 1));
      if (byte < 0x80 || at === HEADER_BYTES_MAX - 1) {
        if (at > 1) checkLengthEnd(byte);
        this.#partialBodyStart = at + 1;
        this.#partialPacketLength = at + 1 + length;
        this.#checkHeader(partial[0]!, this.#partialPacketLength);
        return;
      }
    }
  }

  /** Grows with what has come: a length that is only claimed costs nothing. */
  #withRoomFor(partial: Uint8Array, length: number): Uint8Array {
    if (length <= partial.length) return partial;
    const wasLent = this.#partialIsLent;
    this.#partialIsLent = this.#partialPacketLength <= LENT_BYTES_MAX;
    const grown = this.#partialIsLent
      ? this.#buffers.take(length)
      : this.#ownBuffer(partial, length);
    grown.set(partial.subarray(0, this.#partialLength));
    if (wasLent) this.#giveBack(partial);
    this.#partial = grown;
    return grown;
  }

  /**
   * Grows by doubling, never beyond the packet. A packet of ordinary size that has really begun
   * gets its buffer at once.
   */
  #ownBuffer(partial: Uint8Array, length: number): Uint8Array {
    const total = this.#partialPacketLength;
    const isBegun = length >= BEGUN_BYTES && total <= AT_ONCE_BYTES_MAX;
    return new Uint8Array(isBegun ? total : Math.min(total, Math.max(length, partial.length * 2)));
  }

  #giveBack(buffer: Uint8Array): void {
    this.#lent = undefined;
    this.#buffers.release(buffer);
  }

  #releaseChunk(): false {
    this.#chunk = NO_BYTES;
    this.#at = 0;
    this.bytes = NO_BYTES;
    return false;
  }
}

function checkType(firstByte: number): void {
  if (firstByte < 0x10) malformed('Packet type 0 is reserved', 'MQTT-2.1.3-1');
}

/** `byte` is the last of a Remaining Length of more than one byte. */
function checkLengthEnd(byte: number): void {
  if (byte >= 0x80) malformed('The Remaining Length is longer than four bytes');
  if (byte === 0) malformed('The Remaining Length is not in its shortest form', 'MQTT-1.5.5-1');
}
