import type { Clock, Timer } from '../base/clock.js';
import type { Random } from '../base/random.js';
import { ByteQueue } from './byte-queue.js';

export interface PipeOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly bytesPerSecond: number;
  readonly latencyMs: number;
  readonly jitterMs: number;
  readonly segmentBytes: number;
  readonly headerBytes: number;
  readonly stall: { readonly everyMs: number; readonly forMs: number } | undefined;
  readonly windowBytes: number;
  /** What waits is sent in full segments, as TCP does; otherwise each write keeps its own. */
  readonly joins: boolean;
  /** Stalls are counted from here, for all pipes of a link alike. */
  readonly startMs: number;
}

export interface PipeSink {
  deliver(segment: Buffer): void;
  /** The sender has ended and everything has been delivered. */
  finish(): void;
  /** A segment goes on the air. */
  sent(payloadBytes: number, wireBytes: number, airtimeMs: number): void;
  /** The queue is full, or has room again. */
  full(isFull: boolean): void;
}

const QUEUED_BYTES_MAX = 65_536;

/**
 * One direction of a link: what goes in at once comes out at the link's pace, in its segments, as
 * late as the link is long.
 */
export class Pipe {
  readonly #options: PipeOptions;
  readonly #sink: PipeSink;
  readonly #queue = new ByteQueue();
  readonly #air: { readonly segment: Buffer; readonly dueMs: number }[] = [];
  #freeAtMs = 0;
  #lastDueMs = 0;
  #unacknowledgedBytes = 0;
  #sending: Timer | undefined;
  #arriving: Timer | undefined;
  #ended = false;
  #finished = false;
  #frozen = false;
  #full = false;

  constructor(options: PipeOptions, sink: PipeSink) {
    this.#options = options;
    this.#sink = sink;
  }

  push(bytes: Buffer): void {
    if (this.#frozen || this.#ended || bytes.length === 0) return;
    if (this.#queue.bytes === 0) {
      this.#freeAtMs = Math.max(this.#freeAtMs, this.#options.clock.nowMs());
    }
    this.#queue.push(bytes);
    this.#pump();
    this.#tellWhetherFull();
  }

  /** Nothing more comes in; `finish` follows the last byte. */
  end(): void {
    this.#ended = true;
    this.#finishWhenEmpty();
  }

  /** Swallows everything from now on and tells nobody: half-open. */
  freeze(): void {
    this.#frozen = true;
    this.stop();
  }

  /** What is under way is gone. */
  stop(): void {
    this.#finished = true;
    this.#sending?.cancel();
    this.#arriving?.cancel();
    this.#queue.clear();
    this.#air.length = 0;
  }

  #pump(): void {
    if (this.#sending !== undefined || this.#finished) return;
    const { clock, bytesPerSecond, headerBytes, latencyMs, jitterMs, random } = this.#options;
    while (this.#queue.bytes > 0) {
      const now = clock.nowMs();
      if (this.#freeAtMs > now) {
        this.#sending = clock.after(this.#freeAtMs - now, () => {
          this.#sending = undefined;
          this.#pump();
        });
        return;
      }
      const room = this.#options.windowBytes - this.#unacknowledgedBytes;
      if (room <= 0) return;
      const segment = this.#queue.take(
        Math.min(this.#options.segmentBytes, room),
        this.#options.joins,
      );
      const wireBytes = segment.length + headerBytes;
      const airtimeMs = (wireBytes / bytesPerSecond) * 1000;
      this.#freeAtMs = this.#afterStall(this.#freeAtMs + airtimeMs);
      this.#unacknowledgedBytes += segment.length;
      this.#sink.sent(segment.length, wireBytes, airtimeMs);
      const dueMs = this.#freeAtMs + latencyMs + jitterMs * random.next();
      this.#lastDueMs = Math.max(this.#lastDueMs, dueMs);
      this.#air.push({ segment, dueMs: this.#lastDueMs });
      if (this.#arriving === undefined) this.#arrive();
      if (this.#finished) return;
    }
  }

  #arrive(): void {
    this.#arriving = undefined;
    const { clock, latencyMs } = this.#options;
    for (let first = this.#air[0]; first !== undefined; first = this.#air[0]) {
      const waitMs = first.dueMs - clock.nowMs();
      if (waitMs > 0) {
        this.#arriving = clock.after(waitMs, () => this.#arrive());
        return;
      }
      this.#air.shift();
      this.#sink.deliver(first.segment);
      if (this.#finished) return;
      this.#acknowledgeAfter(latencyMs, first.segment.length);
      this.#tellWhetherFull();
    }
    this.#finishWhenEmpty();
  }

  /** The sender's window opens when the acknowledgement has come back. */
  #acknowledgeAfter(latencyMs: number, bytes: number): void {
    if (this.#options.windowBytes === Number.POSITIVE_INFINITY || latencyMs === 0) {
      this.#unacknowledgedBytes -= bytes;
      return;
    }
    this.#options.clock.after(latencyMs, () => {
      this.#unacknowledgedBytes -= bytes;
      if (this.#queue.bytes > 0 && this.#sending === undefined) {
        this.#freeAtMs = Math.max(this.#freeAtMs, this.#options.clock.nowMs());
      }
      this.#pump();
    });
  }

  #afterStall(atMs: number): number {
    const { stall, startMs } = this.#options;
    if (stall === undefined) return atMs;
    const phaseMs = (atMs - startMs) % stall.everyMs;
    return phaseMs >= stall.everyMs - stall.forMs ? atMs + stall.everyMs - phaseMs : atMs;
  }

  #tellWhetherFull(): void {
    const full = this.#queue.bytes > (this.#full ? QUEUED_BYTES_MAX / 2 : QUEUED_BYTES_MAX);
    if (full === this.#full) return;
    this.#full = full;
    this.#sink.full(full);
  }

  #finishWhenEmpty(): void {
    if (!this.#ended || this.#finished || this.#queue.bytes > 0 || this.#air.length > 0) return;
    this.#finished = true;
    this.#sink.finish();
  }
}
