import type { EndOfTick, TickTask } from '../base/clock.js';
import { copyBytes, LOOP_BYTES_MAX } from '../base/copy-bytes.js';
import { Fifo } from '../base/fifo.js';
import type { FrameTemplate, PublishFrame } from '../wire/publish-frame.js';
import { type BufferPool, LARGE_BUFFER_BYTES } from './buffer-pool.js';
import type { NetworkConnection, WriteRelease } from './network-connection.js';

/** Up to here a packet is copied; above, it is shared. */
const COPY_BYTES_MAX = 1024;

/** Stand for lists that are empty; never written. */
const NO_PARTS: Uint8Array[] = [];
const NO_BUFFERS: Uint8Array[] = [];

/** As many bytes go to a client about which nothing is known. */
export const TRUST_BYTES_MIN = 65_536;

export interface OutboxOwner {
  /** There is room again. */
  drained(): void;
  /** Bytes have been given to the network. */
  sent(bytes: number): void;
}

/**
 * QoS 0 that may wait for a client whose system takes nothing more: its send queue is full already,
 * and whoever has stopped reading costs this much and no more.
 */
const BEHIND_BYTES_MAX = 96 * 1024;

/**
 * Bytes of one connection that wait for the end of the tick: small packets are copied into one
 * buffer, large payloads are shared, and all leave with one write.
 */
export class Outbox implements TickTask, WriteRelease {
  #network: NetworkConnection;
  readonly #endOfTick: EndOfTick;
  readonly #pool: BufferPool;
  #buffer: Uint8Array | undefined = undefined;
  /** In the buffer: where the bytes begin that are no part yet, and where they end. */
  #start = 0;
  #length = 0;
  /** What goes before them. While there is nothing, the buffer holds all there is. */
  #parts: Uint8Array[] = NO_PARTS;
  /** Buffers that are full and belong to the parts. */
  #full: Uint8Array[] = NO_BUFFERS;
  /** The pooled buffers of the oldest write that has not left, and of those behind it. */
  #leaving: Uint8Array | Uint8Array[] | undefined = undefined;
  #leavingNext: Fifo<Uint8Array | Uint8Array[]> | undefined = undefined;
  #bytes = 0;
  #scheduled = false;
  #closed = false;
  #wasFull = false;
  /** The client does not read: there is no room, whatever the system would take. */
  #isStalled = false;
  /** Bytes written since it was last seen that the client receives them. */
  unprovenBytes = 0;
  /** An answer came since the system was last asked what waits. */
  wasAnswered = false;
  /** So many of them are written without a doubt. */
  trustBytes: number = TRUST_BYTES_MIN;
  #bytesMax: number;
  #bytesMaxQoS0: number;
  #bytesMaxQoS0Behind: number;
  readonly #owner: OutboxOwner;

  /** `owner.drained` is called when `hasRoom` was false and a flush has emptied it at once. */
  constructor(
    network: NetworkConnection,
    endOfTick: EndOfTick,
    pool: BufferPool,
    bytesMax: number,
    owner: OutboxOwner,
  ) {
    this.#bytesMax = bytesMax;
    this.#bytesMaxQoS0 = bytesMax;
    this.#bytesMaxQoS0Behind = Math.min(bytesMax, BEHIND_BYTES_MAX);
    this.#owner = owner;
    this.#network = network;
    this.#endOfTick = endOfTick;
    this.#pool = pool;
  }

  /** Whether fewer bytes than the limit wait for the operating system. */
  get hasRoom(): boolean {
    if (this.#bytes + this.#network.unsentBytes < this.#bytesMax && !this.#isStalled) return true;
    this.#wasFull = true;
    return false;
  }

  /** The same for QoS 0 messages, which wait nowhere else. */
  get hasRoomForQoS0(): boolean {
    const { unsentBytes } = this.#network;
    const bytesMax = unsentBytes === 0 ? this.#bytesMaxQoS0 : this.#bytesMaxQoS0Behind;
    if (this.#bytes + unsentBytes < bytesMax && !this.#isStalled) return true;
    this.#wasFull = true;
    return false;
  }

  /** More was written than is trusted to arrive. */
  get isDoubted(): boolean {
    return this.unprovenBytes > this.trustBytes;
  }

  /** Who answers reads: what was written before has arrived. */
  answered(): void {
    this.unprovenBytes = 0;
    this.wasAnswered = true;
  }

  get isStalled(): boolean {
    return this.#isStalled;
  }

  /** The client has stopped reading, or reads again. */
  set isStalled(isStalled: boolean) {
    const readsAgain = this.#isStalled && !isStalled;
    this.#isStalled = isStalled;
    if (!readsAgain || this.#closed || this.#network.unsentBytes > 0) return;
    this.#wasFull = false;
    this.#owner.drained();
  }

  /** From now on bytes leave through another connection, whole packets only, with other limits. */
  leaveThrough(network: NetworkConnection, bytesMax: number, bytesMaxQoS0: number): void {
    this.#network = network;
    this.#bytesMax = bytesMax;
    this.#bytesMaxQoS0 = bytesMaxQoS0;
    this.#bytesMaxQoS0Behind = Math.min(bytesMaxQoS0, BEHIND_BYTES_MAX);
  }

  /** A place of `bytes` bytes to write into, at the returned offset of `this.target`. */
  reserve(bytes: number): number {
    let buffer = this.#buffer;
    if (buffer === undefined || this.#length + bytes > buffer.length)
      buffer = this.#nextBuffer(bytes);
    const at = this.#length;
    this.#length = at + bytes;
    this.#bytes += bytes;
    if (!this.#scheduled) this.#schedule();
    return at;
  }

  /** The buffer that the last `reserve` was made in. */
  get target(): Uint8Array {
    return this.#buffer!;
  }

  append(bytes: Uint8Array): void {
    if (this.#closed) return;
    if (bytes.length > COPY_BYTES_MAX) {
      this.share(bytes);
      return;
    }
    const at = this.reserve(bytes.length);
    this.#buffer!.set(bytes, at);
  }

  /** Sends bytes that stay as they are until they have left, without a copy. */
  share(bytes: Uint8Array): void {
    if (this.#closed || bytes.length === 0) return;
    this.#endPart();
    this.#pushPart(bytes);
    this.#bytes += bytes.length;
    if (!this.#scheduled) this.#schedule();
  }

  /**
   * A PUBLISH: its head from the template, first byte and Packet Identifier set, and its payload.
   */
  appendPublish(
    frame: PublishFrame,
    template: FrameTemplate,
    firstByte: number,
    packetIdentifier: number,
  ): void {
    if (this.#closed) return;
    const { bytes, start, headEnd } = template;
    const { payload, payloadStart, payloadEnd } = frame;
    const head = headEnd - start;
    const isCopied = frame.prefersCopy();
    const at = this.reserve(isCopied ? head + payloadEnd - payloadStart : head);
    const target = this.#buffer!;
    const isOnePiece = isCopied && template.isWhole;
    const end = isOnePiece ? payloadEnd : headEnd;
    if (end - start > LOOP_BYTES_MAX) target.set(template.view(end), at);
    else copyBytes(target, at, bytes, start, end);
    if (isCopied && !isOnePiece) copyBytes(target, at + head, payload, payloadStart, payloadEnd);
    target[at] = firstByte;
    if (packetIdentifier !== 0) {
      const identifierAt = at + template.identifierAt - start;
      target[identifierAt] = packetIdentifier >>> 8;
      target[identifierAt + 1] = packetIdentifier & 0xff;
    }
    if (!isCopied) this.share(frame.sharedPayload());
  }

  /** Writes now what waits; otherwise it happens at the end of the tick. */
  endOfTick(): void {
    this.#scheduled = false;
    if (this.#closed) return;
    if (this.#bytes > 0) this.#write();
    if (this.#wasFull && this.#network.unsentBytes === 0) {
      this.#wasFull = false;
      this.#owner.drained();
    }
  }

  written(parts: readonly Uint8Array[]): void {
    const buffers = this.#leaving;
    if (buffers === undefined) return;
    this.#leaving = this.#leavingNext?.shift();
    this.#release(buffers);
    this.#pool.releaseParts(parts as Uint8Array[]);
  }

  /** Nothing more is sent; what waits is forgotten. */
  close(): void {
    this.#closed = true;
    this.#release(this.#takeBuffers());
    this.#parts = NO_PARTS;
    this.#bytes = 0;
  }

  #write(): void {
    const parts = this.#takeParts();
    const buffers = this.#takeBuffers();
    this.unprovenBytes += this.#bytes;
    this.#owner.sent(this.#bytes);
    this.#bytes = 0;
    // Before the write, because it may leave, and be released, before that returns.
    if (this.#leaving === undefined) this.#leaving = buffers;
    else {
      this.#leavingNext ??= new Fifo();
      this.#leavingNext.push(buffers);
    }
    this.#network.write(parts, this);
  }

  #takeParts(): Uint8Array[] {
    if (this.#parts === NO_PARTS) {
      return this.#pool.partsOf(this.#buffer!.subarray(0, this.#length));
    }
    this.#endPart();
    const parts = this.#parts;
    this.#parts = NO_PARTS;
    return parts;
  }

  /** The buffers of what is written next. The last one goes with them, however full it is. */
  #takeBuffers(): Uint8Array | Uint8Array[] {
    const last = this.#buffer;
    const buffers = this.#full;
    this.#buffer = undefined;
    this.#start = 0;
    this.#length = 0;
    if (buffers === NO_BUFFERS) return last ?? NO_BUFFERS;
    this.#full = NO_BUFFERS;
    if (last !== undefined) buffers.push(last);
    return buffers;
  }

  #release(buffers: Uint8Array | Uint8Array[]): void {
    if (buffers instanceof Uint8Array) this.#pool.release(buffers);
    else for (const buffer of buffers) this.#pool.release(buffer);
  }

  #schedule(): void {
    this.#scheduled = true;
    this.#endOfTick.flush(this);
  }

  #nextBuffer(bytes: number): Uint8Array {
    const old = this.#buffer;
    const together = this.#length + bytes;
    if (this.#parts === NO_PARTS && together <= LARGE_BUFFER_BYTES) {
      // One part is cheaper to write than two, by more than what this copies.
      const buffer = this.#pool.take(together);
      if (old !== undefined) {
        buffer.set(old.subarray(0, this.#length));
        this.#pool.release(old);
      }
      this.#buffer = buffer;
      return buffer;
    }
    if (old !== undefined && old.length >= LARGE_BUFFER_BYTES && this.#network.takesBursts) {
      // What is in the processor's cache leaves from there, and its buffer serves the next burst.
      this.#write();
      this.#buffer = this.#pool.take(bytes);
      return this.#buffer;
    }
    this.#endPart();
    if (old !== undefined) {
      if (this.#full === NO_BUFFERS) this.#full = [];
      this.#full.push(old);
    }
    // Each one larger than the one before.
    const wished = old === undefined ? 0 : Math.min(old.length + 1, LARGE_BUFFER_BYTES);
    const buffer = this.#pool.take(Math.max(bytes, wished));
    this.#buffer = buffer;
    this.#start = 0;
    this.#length = 0;
    return buffer;
  }

  #endPart(): void {
    if (this.#buffer === undefined || this.#length === this.#start) return;
    this.#pushPart(this.#buffer.subarray(this.#start, this.#length));
    this.#start = this.#length;
  }

  #pushPart(part: Uint8Array): void {
    if (this.#parts === NO_PARTS) this.#parts = [part];
    else this.#parts.push(part);
  }
}
