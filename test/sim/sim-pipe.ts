import type { Chance } from './chance.js';

/** What a pipe needs of its world. */
export interface PipeWorld {
  readonly nowMs: number;
  readonly networkChance: Chance;
  readonly latencyMsMax: number;
  readonly cutting: Cutting;
  after(delayMs: number, label: string, run: () => void): unknown;
  /** Whether an unusual thing happens here now: most worlds have a few that do, by the seed. */
  sometimes(name: string): boolean;
}

/** How the stream is cut: as it was written, at random, or down to single bytes. */
export type Cutting = 'glued' | 'random' | 'fine';

export interface PipeEnd {
  chunk(chunk: Uint8Array): void;
  end(): void;
}

const FINE_BYTES_MAX = 3;
const RANDOM_BYTES_MAX = 1400;

/** Bytes on their way in one direction. */
export class SimPipe {
  readonly #world: PipeWorld;
  readonly #label: string;
  readonly #to: PipeEnd;
  readonly #chunks: Uint8Array[] = [];
  #length = 0;
  #scheduled = false;
  #paused = false;
  #dead = false;
  #blocked = false;
  #ends = false;
  #cloggedUntilMs = 0;
  /** Arrivals that were planned before it was unclogged do not count. */
  #generation = 0;
  /** Slow reader: so many bytes at a time, this long apart. */
  #slowBytes = 0;
  #slowMs = 0;

  constructor(world: PipeWorld, label: string, to: PipeEnd) {
    this.#world = world;
    this.#label = label;
    this.#to = to;
  }

  /** Bytes that were pushed and did not arrive. */
  get length(): number {
    return this.#length;
  }

  push(bytes: Uint8Array): void {
    if (this.#dead || this.#ends || bytes.length === 0) return;
    this.#chunks.push(bytes);
    this.#length += bytes.length;
    this.#schedule();
  }

  /** Nothing more will be pushed: the other end hears of it behind the last byte. */
  end(): void {
    this.#ends = true;
    this.#schedule();
  }

  /** What is under way is lost and nothing arrives any more. */
  die(): void {
    this.#dead = true;
    this.#chunks.length = 0;
    this.#length = 0;
  }

  /** Takes bytes until it is full, and delivers none. */
  block(): void {
    this.#blocked = true;
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#schedule();
  }

  clog(forMs: number): void {
    this.#cloggedUntilMs = Math.max(this.#cloggedUntilMs, this.#world.nowMs + forMs);
  }

  unclog(): void {
    if (this.#cloggedUntilMs === 0) return;
    this.#cloggedUntilMs = 0;
    this.#generation++;
    this.#scheduled = false;
    this.#schedule();
  }

  readSlowly(bytes: number, everyMs: number): void {
    this.#slowBytes = bytes;
    this.#slowMs = everyMs;
  }

  #schedule(): void {
    if (this.#scheduled || this.#dead || (this.#length === 0 && !this.#ends)) return;
    this.#scheduled = true;
    const { networkChance, latencyMsMax } = this.#world;
    let delayMs = networkChance.below(latencyMsMax + 1);
    if (this.#world.sometimes('late packet')) delayMs += 40;
    if (this.#slowMs > 0) delayMs = Math.max(delayMs, this.#slowMs);
    this.#arriveAfter(delayMs, this.#label);
  }

  #arriveAfter(delayMs: number, label: string): void {
    const generation = this.#generation;
    this.#world.after(delayMs, label, () => {
      if (generation === this.#generation) this.#arrive();
    });
  }

  #arrive(): void {
    this.#scheduled = false;
    if (this.#dead || this.#blocked || this.#paused) return;
    const { nowMs } = this.#world;
    if (nowMs < this.#cloggedUntilMs) {
      this.#scheduled = true;
      this.#arriveAfter(this.#cloggedUntilMs - nowMs, `${this.#label} unclog`);
      return;
    }
    if (this.#length > 0) {
      this.#to.chunk(this.#take());
      this.#schedule();
    } else if (this.#ends) {
      this.#dead = true;
      this.#to.end();
    }
  }

  #take(): Uint8Array {
    const { cutting, networkChance } = this.#world;
    let limit = this.#length;
    const isFine = cutting === 'fine' && networkChance.percent(30);
    if (isFine || this.#world.sometimes('single bytes')) {
      limit = networkChance.between(1, FINE_BYTES_MAX);
    } else if (cutting !== 'glued') limit = networkChance.between(1, RANDOM_BYTES_MAX);
    if (this.#slowBytes > 0) limit = Math.min(limit, this.#slowBytes);
    const chunk = new Uint8Array(Math.min(limit, this.#length));
    let at = 0;
    while (at < chunk.length) {
      const first = this.#chunks[0]!;
      const piece = first.subarray(0, chunk.length - at);
      chunk.set(piece, at);
      at += piece.length;
      if (piece.length === first.length) this.#chunks.shift();
      else this.#chunks[0] = first.subarray(piece.length);
    }
    this.#length -= chunk.length;
    return chunk;
  }
}
