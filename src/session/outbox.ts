import type { EndOfTick, TickTask } from '../base/clock.js';
import type { FrameTemplate, PublishFrame } from '../wire/publish-frame.js';
import { type BufferPool, LARGE_BUFFER_BYTES } from './buffer-pool.js';
import { copyPublish } from './copy-publish.js';
import { AHEAD_OF_ANSWERS_BYTES_MAX, BEHIND_BYTES_MAX, HeldBack } from './held-back.js';
import { LaterWrites } from './later-writes.js';
import type { WriteRelease } from './network-connection.js';
import type { OutboxNetwork, OutboxOwner } from './outbox-network.js';
import { Trust } from './trust.js';

/** Up to here a packet is copied; above, it is shared. */
const COPY_BYTES_MAX = 1024;

/** Stands for lists that are empty; never written. */
const NONE: Uint8Array[] = [];

/**
 * Bytes of one connection that wait for the end of the tick: small packets are copied into one
 * buffer, large payloads are shared, and all leave with one write. Only where the network has not
 * taken all of an earlier one are answers and messages kept apart: answers are written at once,
 * messages when the network has given everything away. So an answer waits behind one write at most.
 */
export class Outbox implements TickTask, WriteRelease {
  readonly trust: Trust = new Trust();
  /** What it writes to; `leaveThrough` changes it. */
  network: OutboxNetwork;
  readonly #endOfTick: EndOfTick;
  readonly #pool: BufferPool;
  #buffer: Uint8Array | undefined = undefined;
  /** In the buffer: where the bytes begin that are no part yet, and where they end. */
  #start = 0;
  #length = 0;
  /** What goes before them. While there is nothing, the buffer holds all there is. */
  #parts: Uint8Array[] = NONE;
  /** Buffers that are full and belong to the parts. */
  #full: Uint8Array[] = NONE;
  /** The pooled buffers and the parts of the oldest write that has not left. */
  #leaving: Uint8Array | Uint8Array[] | undefined = undefined;
  #leavingParts: readonly Uint8Array[] = NONE;
  #leavingNext: LaterWrites | undefined = undefined;
  #bytes = 0;
  /** The network had not taken all when it was last written to. */
  #isBackedUp = false;
  #heldBack: HeldBack | undefined = undefined;
  /**
   * An answer goes ahead of more bytes than these. Never where another one is among them: answers
   * keep their order.
   */
  #aheadBytesMin = AHEAD_OF_ANSWERS_BYTES_MAX;
  #scheduled = false;
  #closed = false;
  #wasFull = false;
  /** The client does not read: there is no room, whatever the system would take. */
  #isStalled = false;
  #bytesMax: number;
  #bytesMaxQoS0: number;
  readonly #owner: OutboxOwner;

  /** `owner.drained` is called when `hasRoom` was false and a flush has emptied it at once. */
  constructor(
    network: OutboxNetwork,
    endOfTick: EndOfTick,
    pool: BufferPool,
    bytesMax: number,
    owner: OutboxOwner,
  ) {
    this.#bytesMax = bytesMax;
    this.#bytesMaxQoS0 = bytesMax;
    this.#owner = owner;
    this.network = network;
    this.#endOfTick = endOfTick;
    this.#pool = pool;
  }

  /** Whether fewer bytes than the limit wait for the operating system. */
  get hasRoom(): boolean {
    if (this.#bytes + this.network.unsentBytes < this.#bytesMax && !this.#isStalled) return true;
    this.#wasFull = true;
    return false;
  }

  /** The same for QoS 0 messages, which wait nowhere else. */
  get hasRoomForQoS0(): boolean {
    const { unsentBytes } = this.network;
    const bytesMax = unsentBytes === 0 ? this.#bytesMaxQoS0 : BEHIND_BYTES_MAX;
    const bytes = this.#bytes + unsentBytes;
    if (bytes < bytesMax && bytes < this.#bytesMaxQoS0 && !this.#isStalled) return true;
    this.#wasFull = true;
    return false;
  }

  get isStalled(): boolean {
    return this.#isStalled;
  }

  /** The client has stopped reading, or reads again. */
  set isStalled(isStalled: boolean) {
    const readsAgain = this.#isStalled && !isStalled;
    this.#isStalled = isStalled;
    if (!readsAgain || this.#closed || this.network.unsentBytes > 0) return;
    this.#wasFull = false;
    this.#owner.drained();
  }

  /** From now on bytes leave through another connection, whole packets only, with other limits. */
  leaveThrough(
    network: OutboxNetwork,
    bytesMax: number = this.#bytesMax,
    bytesMaxQoS0: number = this.#bytesMaxQoS0,
  ): void {
    this.network = network;
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

  /** A whole packet, behind all others. */
  append(bytes: Uint8Array): void {
    if (this.#closed) return;
    if (bytes.length > COPY_BYTES_MAX) {
      if (this.#unitBytes >= LARGE_BUFFER_BYTES) this.#endUnit();
      this.share(bytes);
      return;
    }
    const at = this.reserve(bytes.length);
    this.#buffer!.set(bytes, at);
  }

  /**
   * A whole packet that goes ahead of messages: CONNACK, SUBACK, UNSUBACK, PINGRESP, AUTH. Where it
   * is the first one it stays the first.
   */
  appendAnswer(bytes: Uint8Array): void {
    if (this.#closed) return;
    if (this.#goesAhead(bytes.length)) {
      const at = this.#reserveAhead(bytes.length);
      this.#heldBack!.answers.set(bytes, at);
    } else this.append(bytes);
  }

  /** PUBACK, PUBREC, PUBREL or PUBCOMP, ahead of messages. A `reasonCode` of 0 is left out. */
  appendAcknowledgement(firstByte: number, packetIdentifier: number, reasonCode: number): void {
    const bytes = reasonCode === 0 ? 4 : 5;
    const isAhead = this.#goesAhead(bytes);
    const at = isAhead ? this.#reserveAhead(bytes) : this.reserve(bytes);
    const target = isAhead ? this.#heldBack!.answers : this.#buffer!;
    target[at] = firstByte;
    target[at + 1] = bytes - 2;
    target[at + 2] = packetIdentifier >>> 8;
    target[at + 3] = packetIdentifier & 0xff;
    if (bytes === 5) target[at + 4] = reasonCode;
  }

  /** The end of a packet: bytes that stay as they are until they have left, without a copy. */
  share(bytes: Uint8Array): void {
    if (this.#closed || bytes.length === 0) return;
    this.#endPart();
    this.#pushPart(bytes);
    this.#bytes += bytes.length;
    // The next packet looks for another buffer, and so ends what is large enough.
    if (this.#buffer !== undefined && this.#unitBytes >= LARGE_BUFFER_BYTES) {
      this.#start = this.#buffer.length;
      this.#length = this.#start;
    }
    if (!this.#scheduled) this.#schedule();
  }

  appendPublish(
    frame: PublishFrame,
    template: FrameTemplate,
    firstByte: number,
    packetIdentifier: number,
  ): void {
    if (this.#closed) return;
    const head = template.headEnd - template.start;
    const isShared = !frame.prefersCopy();
    const at = this.reserve(isShared ? head : head + frame.payloadBytes);
    const target = this.#buffer!;
    copyPublish(target, at, frame, template, firstByte, packetIdentifier, isShared);
    if (isShared) this.share(frame.sharedPayload());
  }

  /** Writes now what may leave; otherwise it happens at the end of the tick. */
  endOfTick(): void {
    this.#scheduled = false;
    if (this.#closed) return;
    if (this.#bytes > 0) this.#writeNow();
    if (this.#wasFull && this.network.unsentBytes === 0) {
      this.#wasFull = false;
      this.#owner.drained();
    }
  }

  /** The network has given everything away. Whether nothing was held back for that. */
  drained(): boolean {
    if (this.#closed) return true;
    if (this.#bytes === 0) this.#isBackedUp = this.network.unsentBytes > 0;
    if (!this.#isBackedUp) return true;
    // With what else comes in this tick. Whoever waits for room waits for that as well.
    this.#wasFull = true;
    if (!this.#scheduled) this.#schedule();
    return false;
  }

  written(parts: readonly Uint8Array[]): void {
    if (parts !== this.#leavingParts) {
      this.#pool.releaseAll(this.#leavingNext?.giveUp(parts) ?? NONE);
      return;
    }
    const buffers = this.#leaving ?? NONE;
    const next = this.#leavingNext?.shift();
    this.#leaving = next?.buffers;
    this.#leavingParts = next?.parts ?? NONE;
    this.#pool.releaseAll(buffers);
    this.#pool.releaseParts(parts as Uint8Array[]);
  }

  /** Writes all that waits, held back or not; then nothing more. */
  finish(): void {
    if (this.#closed) return;
    this.#writeApart(true);
    this.close();
  }

  /** Nothing more is sent; what waits is forgotten. */
  close(): void {
    this.#closed = true;
    this.#pool.releaseAll(this.#takeBuffers());
    for (let unit = this.#heldBack?.take(); unit !== undefined; unit = this.#heldBack?.take()) {
      this.#pool.releaseAll(unit.buffers);
    }
    this.#heldBack = undefined;
    this.#parts = NONE;
    this.#bytes = 0;
  }

  /** Bytes of whole packets, and of the beginning of one, that are not held back yet. */
  get #unitBytes(): number {
    return this.#bytes - (this.#heldBack?.bytes ?? 0);
  }

  /** Whether an answer of so many bytes goes ahead of what waits; if not, no later one does. */
  #goesAhead(bytes: number): boolean {
    const isFull = this.#buffer !== undefined && this.#length + bytes > this.#buffer.length;
    // What it makes leave leaves first: it may go ahead of nothing then, and what is next of it.
    const mayBurst = this.network.takesBursts === true && !this.#isBackedUp;
    if (isFull && mayBurst && this.#isWholeBurst) this.#writeNow();
    if (this.#isBackedUp || this.#bytes > this.#aheadBytesMin) return true;
    this.#aheadBytesMin = Number.POSITIVE_INFINITY;
    return false;
  }

  /** No more is put into the buffer. */
  get #isWholeBurst(): boolean {
    const unitBytesMax = this.network.prefersSmallWrites === true ? 1 : LARGE_BUFFER_BYTES;
    return (this.#buffer?.length ?? 0) >= LARGE_BUFFER_BYTES || this.#unitBytes >= unitBytesMax;
  }

  #reserveAhead(bytes: number): number {
    this.#heldBack ??= new HeldBack(this.#pool);
    this.#bytes += bytes;
    if (!this.#scheduled) this.#schedule();
    return this.#heldBack.reserveAnswer(bytes);
  }

  /** Answers, and messages only if the network has given away what it had, or if all must go. */
  #writeApart(isAll: boolean): void {
    const wasBackedUp = this.#isBackedUp;
    // With answers among the messages nothing may be left that a later answer could overtake.
    const isWhole = isAll || this.#aheadBytesMin === Number.POSITIVE_INFINITY;
    if (isWhole || this.network.unsentBytes === 0) {
      this.#isBackedUp = false;
      if (this.#unitBytes > 0) this.#endUnit();
      let unit = this.#heldBack?.take();
      while (unit !== undefined) {
        this.#hand(unit.parts, unit.buffers, unit.bytes);
        if (wasBackedUp) this.#owner.sentHeld();
        unit = isWhole || !this.#isBackedUp ? this.#heldBack!.take() : undefined;
      }
      if (this.#heldBack?.bytes === 0) this.#heldBack = undefined;
    } else {
      this.#isBackedUp = true;
      const answers = this.#heldBack?.takeAnswers();
      if (answers !== undefined) this.#hand(answers.parts, answers.buffers, answers.bytes);
    }
  }

  /** Whole packets only: answers may go between them and what follows. */
  #endUnit(): void {
    const bytes = this.#unitBytes;
    this.#heldBack ??= new HeldBack(this.#pool);
    const parts = this.#takeParts();
    this.#heldBack.push({ parts, buffers: this.#takeBuffers(), bytes });
  }

  #writeNow(): void {
    if (this.#isBackedUp || this.#heldBack !== undefined) this.#writeApart(false);
    else this.#hand(this.#takeParts(), this.#takeBuffers(), this.#bytes);
  }

  #hand(parts: Uint8Array[], buffers: Uint8Array | Uint8Array[], bytes: number): void {
    this.trust.writtenBytes += bytes;
    this.#bytes -= bytes;
    this.#aheadBytesMin = AHEAD_OF_ANSWERS_BYTES_MAX;
    this.#owner.sent(bytes);
    // Before the write, because it may leave, and be released, before that returns.
    if (this.#leaving === undefined) {
      this.#leaving = buffers;
      this.#leavingParts = parts;
    } else {
      this.#leavingNext ??= new LaterWrites();
      this.#leavingNext.push(parts, buffers);
    }
    this.network.write(parts, this);
    if (this.network.unsentBytes > 0) this.#isBackedUp = true;
  }

  #takeParts(): Uint8Array[] {
    if (this.#parts === NONE) {
      return this.#pool.partsOf(this.#buffer!.subarray(0, this.#length));
    }
    this.#endPart();
    const parts = this.#parts;
    this.#parts = NONE;
    return parts;
  }

  /** The buffers of what is written next. The last one goes with them, however full it is. */
  #takeBuffers(): Uint8Array | Uint8Array[] {
    const last = this.#buffer;
    const buffers = this.#full;
    this.#buffer = undefined;
    this.#start = 0;
    this.#length = 0;
    if (buffers === NONE) return last ?? NONE;
    this.#full = NONE;
    if (last !== undefined) buffers.push(last);
    return buffers;
  }

  #schedule(): void {
    this.#scheduled = true;
    this.#endOfTick.flush(this);
  }

  #nextBuffer(bytes: number): Uint8Array {
    const old = this.#buffer;
    const together = this.#length + bytes;
    if (this.#isWholeBurst) {
      // What is in the processor's cache leaves from there, and its buffer serves the next burst.
      if (this.network.takesBursts && !this.#isBackedUp) this.#writeNow();
      else this.#endUnit();
      this.#buffer = this.#pool.take(bytes);
      return this.#buffer;
    }
    if (this.#parts === NONE && together <= LARGE_BUFFER_BYTES) {
      // One part is cheaper to write than two, by more than what this copies.
      this.#buffer = this.#pool.larger(old, this.#length, together);
      return this.#buffer;
    }
    this.#endPart();
    if (old !== undefined) {
      if (this.#full === NONE) this.#full = [];
      this.#full.push(old);
    }
    // Each one larger than the one before.
    const wished = old === undefined ? 0 : Math.min(old.length + 1, LARGE_BUFFER_BYTES);
    this.#buffer = this.#pool.take(Math.max(bytes, wished));
    this.#start = 0;
    this.#length = 0;
    return this.#buffer;
  }

  #endPart(): void {
    if (this.#buffer === undefined || this.#length === this.#start) return;
    this.#pushPart(this.#buffer.subarray(this.#start, this.#length));
    this.#start = this.#length;
  }

  #pushPart(part: Uint8Array): void {
    if (this.#parts === NONE) this.#parts = [part];
    else this.#parts.push(part);
  }
}
