import type { Random } from '../base/random.js';

/** What one direction of a packet link does to IP packets. */
export interface PathOptions {
  /** Infinity when left out. */
  readonly bytesPerSecond?: number;
  readonly latencyMs?: number;
  /** Up to this much more, drawn for each packet. */
  readonly jitterMs?: number;
  /** Each from 0 to 1: how likely it is for a packet. */
  readonly loss?: number;
  readonly duplication?: number;
  readonly corruption?: number;
  /** How likely a packet may overtake those before it; without it jitter never reorders. */
  readonly reordering?: number;
  /** What waits for the rate beyond this is dropped, as a router does. */
  readonly queuedPacketsMax?: number;
  /** Bad periods in which everything is lost (Gilbert-Elliott): chance of one at a packet. */
  readonly outage?: { readonly chance: number; readonly meanMs: number };
}

export interface PathCounts {
  packets: number;
  bytes: number;
  lost: number;
  overflowed: number;
}

/** When a packet comes out of the path; more than once when it was duplicated, never when lost. */
export class PacketPath {
  readonly counts: PathCounts = { packets: 0, bytes: 0, lost: 0, overflowed: 0 };
  /** A NAT entry is gone: everything vanishes and nobody is told. */
  isBlackHole = false;

  readonly #options: PathOptions;
  readonly #random: Random;
  #freeAtMs = 0;
  #lastOutMs = 0;
  #badUntilMs = 0;

  constructor(options: PathOptions, random: Random) {
    this.#options = options;
    this.#random = random;
  }

  /** The times, on the caller's clock, at which the packet leaves; it may be corrupted in place. */
  carry(packet: Uint8Array, nowMs: number): readonly number[] {
    this.counts.packets++;
    this.counts.bytes += packet.length;
    if (this.isBlackHole || this.#isLost(nowMs)) {
      this.counts.lost++;
      return [];
    }
    const serialisationMs = (packet.length / (this.#options.bytesPerSecond ?? Infinity)) * 1000;
    const startMs = Math.max(this.#freeAtMs, nowMs);
    const queueMs = serialisationMs * (this.#options.queuedPacketsMax ?? Infinity);
    if (serialisationMs > 0 && startMs - nowMs > queueMs) {
      this.counts.overflowed++;
      return [];
    }
    this.#freeAtMs = startMs + serialisationMs;
    if (this.#happens(this.#options.corruption)) corrupt(packet, this.#random.next());
    const { latencyMs = 0, jitterMs = 0 } = this.#options;
    let outMs = this.#freeAtMs + latencyMs + jitterMs * this.#random.next();
    if (!this.#happens(this.#options.reordering)) outMs = Math.max(outMs, this.#lastOutMs);
    this.#lastOutMs = Math.max(this.#lastOutMs, outMs);
    return this.#happens(this.#options.duplication) ? [outMs, outMs] : [outMs];
  }

  #isLost(nowMs: number): boolean {
    const { outage } = this.#options;
    if (outage !== undefined && nowMs >= this.#badUntilMs && this.#happens(outage.chance)) {
      this.#badUntilMs = nowMs + outage.meanMs * (0.5 + this.#random.next());
    }
    return nowMs < this.#badUntilMs || this.#happens(this.#options.loss);
  }

  #happens(chance: number | undefined): boolean {
    return chance !== undefined && this.#random.next() < chance;
  }
}

const IP_HEADER_BYTES = 20;

function corrupt(packet: Uint8Array, where: number): void {
  const bodyBytes = packet.length - IP_HEADER_BYTES;
  if (bodyBytes <= 0) return;
  const at = IP_HEADER_BYTES + Math.floor(where * bodyBytes);
  packet[at] = packet[at]! ^ 0x10;
}
