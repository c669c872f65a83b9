import { Fifo } from '../base/fifo.js';
import type { BufferPool } from './buffer-pool.js';

/** So many bytes of one tick may leave before an answer: fewer, and one write for all is better. */
export const AHEAD_OF_ANSWERS_BYTES_MAX: number = 16_384;

/**
 * QoS 0 that may wait for a client whose system takes nothing more: its send queue is full already,
 * and whoever has stopped reading costs this much and no more.
 */
export const BEHIND_BYTES_MAX: number = 96 * 1024;

/** Whole packets that leave in one write, and the pooled buffers that they stand in. */
export interface WriteUnit {
  readonly parts: Uint8Array[];
  readonly buffers: Uint8Array | Uint8Array[];
  readonly bytes: number;
}

/**
 * What an Outbox keeps while its network has not taken everything: answers in their order, which
 * go first, and messages in theirs, cut at the ends of packets. Answers hold up nobody for long:
 * each is a few bytes for a packet that the client itself has sent.
 */
export class HeldBack {
  /** Of answers and messages together. */
  bytes = 0;
  readonly #pool: BufferPool;
  readonly #units = new Fifo<WriteUnit>();
  #answers: Uint8Array | undefined = undefined;
  #answerBytes = 0;

  constructor(pool: BufferPool) {
    this.#pool = pool;
  }

  /** Where the answers are written. */
  get answers(): Uint8Array {
    return this.#answers!;
  }

  /** A place for an answer, at the returned offset of `answers`. */
  reserveAnswer(bytes: number): number {
    const at = this.#answerBytes;
    const old = this.#answers;
    if (old === undefined || at + bytes > old.length) {
      this.#answers = this.#pool.larger(old, at, at + bytes);
    }
    this.#answerBytes = at + bytes;
    this.bytes += bytes;
    return at;
  }

  push(unit: WriteUnit): void {
    this.#units.push(unit);
    this.bytes += unit.bytes;
  }

  /** The answers alone. */
  takeAnswers(): WriteUnit | undefined {
    const buffers = this.#answers;
    if (buffers === undefined) return undefined;
    const bytes = this.#answerBytes;
    this.#answers = undefined;
    this.#answerBytes = 0;
    this.bytes -= bytes;
    return { parts: this.#pool.partsOf(buffers.subarray(0, bytes)), buffers, bytes };
  }

  /** The oldest messages, behind all answers. */
  take(): WriteUnit | undefined {
    const answers = this.takeAnswers();
    const unit = this.#units.shift();
    if (unit === undefined) return answers;
    this.bytes -= unit.bytes;
    if (answers === undefined) return unit;
    return {
      parts: [...answers.parts, ...unit.parts],
      buffers: [answers.buffers, unit.buffers].flat(),
      bytes: answers.bytes + unit.bytes,
    };
  }
}
