import type { EndOfTick, TickTask } from '../base/clock.js';
import { copyBytes } from '../base/copy-bytes.js';
import { Fifo } from '../base/fifo.js';
import type { FrameTemplate, PublishFrame } from '../wire/publish-frame.js';
import { type BufferPool, LARGE_BUFFER_BYTES, SMALL_BUFFER_BYTES } from './buffer-pool.js';
import type { NetworkConnection, WriteRelease } from './network-connection.js';

/** Up to here a packet is copied; above, it is shared. */
const COPY_BYTES_MAX = 1024;

export interface OutboxOwner {
  /** There is room again. */
  drained(): void;
  /** Bytes have been given to the network. */
  sent(bytes: number): void;
}

/**
 * Bytes of one connection that wait for the end of the tick: small packets are copied into one
 * buffer, large payloads are shared, and all leave with one write.
 */
export class Outbox implements TickTask, WriteRelease {
  #network: NetworkConnection;
  readonly #endOfTick: EndOfTick;
  readonly #pool: BufferPool;
  #buffer: Uint8Array | undefined = undefined;
  #start = 0;
  #length = 0;
  #parts: Uint8Array[] = [];
  #pooled: Uint8Array[] = [];
  /** The pooled buffers of each write that has not left, in order. */
  #writing: Fifo<readonly Uint8Array[]> | undefined = undefined;
  #bytes = 0;
  #scheduled = false;
  #closed = false;
  #wasFull = false;
  #bytesMax: number;
  #bytesMaxQoS0: number;
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
    this.#owner = owner;
    this.#network = network;
    this.#endOfTick = endOfTick;
    this.#pool = pool;
  }

  /** Whether fewer bytes than the limit wait for the operating system. */
  get hasRoom(): boolean {
    if (this.#bytes + this.#network.unsentBytes < this.#bytesMax) return true;
    this.#wasFull = true;
    return false;
  }

  /** The same for QoS 0 messages, which wait nowhere else. */
  get hasRoomForQoS0(): boolean {
    if (this.#bytes + this.#network.unsentBytes < this.#bytesMaxQoS0) return true;
    this.#wasFull = true;
    return false;
  }

  /** From now on bytes leave through another connection, whole packets only, with other limits. */
  leaveThrough(network: NetworkConnection, bytesMax: number, bytesMaxQoS0: number): void {
    this.#network = network;
    this.#bytesMax = bytesMax;
    this.#bytesMaxQoS0 = bytesMaxQoS0;
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
    this.#parts.push(bytes);
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
    if (isCopied && template.isWhole) copyBytes(target, at, bytes, start, payloadEnd);
    else {
      copyBytes(target, at, bytes, start, headEnd);
      if (isCopied) copyBytes(target, at + head, payload, payloadStart, payloadEnd);
    }
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
    this.#endPart();
    if (this.#parts.length === 0 || this.#closed) return;
    const parts = this.#parts;
    this.#parts = [];
    this.#owner.sent(this.#bytes);
    this.#bytes = 0;
    this.#writing ??= new Fifo();
    this.#writing.push(this.#pooled);
    this.#pooled = [];
    if (this.#buffer !== undefined) {
      // The last buffer goes with the write that holds its bytes.
      this.#buffer = undefined;
      this.#start = 0;
      this.#length = 0;
    }
    this.#network.write(parts, this);
    if (this.#wasFull && this.#network.unsentBytes === 0) {
      this.#wasFull = false;
      this.#owner.drained();
    }
  }

  written(): void {
    const buffers = this.#writing?.shift();
    if (buffers === undefined) return;
    for (const buffer of buffers) this.#pool.release(buffer);
  }

  /** Nothing more is sent; what waits is forgotten. */
  close(): void {
    this.#closed = true;
    for (const buffer of this.#pooled) this.#pool.release(buffer);
    this.#pooled = [];
    this.#parts = [];
    this.#buffer = undefined;
    this.#bytes = 0;
    this.#start = 0;
    this.#length = 0;
  }

  #schedule(): void {
    this.#scheduled = true;
    this.#endOfTick.flush(this);
  }

  #nextBuffer(bytes: number): Uint8Array {
    const first = this.#buffer === undefined && this.#parts.length === 0;
    this.#endPart();
    const buffer =
      bytes > LARGE_BUFFER_BYTES
        ? new Uint8Array(bytes)
        : first && bytes <= SMALL_BUFFER_BYTES
          ? this.#pool.small()
          : this.#pool.large();
    this.#pooled.push(buffer);
    this.#buffer = buffer;
    this.#start = 0;
    this.#length = 0;
    return buffer;
  }

  #endPart(): void {
    if (this.#buffer === undefined || this.#length === this.#start) return;
    this.#parts.push(this.#buffer.subarray(this.#start, this.#length));
    this.#start = this.#length;
  }
}
