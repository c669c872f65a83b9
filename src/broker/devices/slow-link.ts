import type { Connection } from '../../session/connection.js';
import { SlowNetwork, WINDOW_BYTES_MAX } from '../../session/slow-network.js';

/** A link is judged by what it took in this time, or in the time of a round trip. */
const PERIOD_MS = 1000;
const PERIOD_MS_MAX = 4000;
/** What waits would take longer than this: whoever waits for an answer behind it gives up. */
const SLOW_MS = 3000;
/** No reason to hold back more than now … */
const EASY_MS = 2000;
const MORE = 1.25;
const LESS = 0.75;
/** … or anything. */
const QUICK_MS = 1000;
/** A rate is measured over so long, or with so many bytes, at least. */
const SURE_MS = 200;
const SURE_BYTES = 16_384;
/** As long may an answer wait, by what was measured. */
const WINDOW_MS = 1500;
/** Below, nothing is worth its while. */
const WINDOW_BYTES_MIN = 2048;

/**
 * How fast one client's link takes what the system has for it; where that is slow, the system gets
 * no more than what the link takes in a second or two. The window follows what is seen,
 * so neither a long round trip nor a pause of the link needs to be told from a low rate.
 */
export class SlowLink {
  readonly #connection: Connection;
  readonly #network: SlowNetwork;
  /** As it was judged last. */
  bytesPerSecond = 0;
  #beganMs = Number.NEGATIVE_INFINITY;
  #takenBytes = 0;
  #queuedBytes = 0;

  /** `wrote` is called when something is written while it is slow. */
  constructor(connection: Connection, wrote: () => void) {
    this.#connection = connection;
    this.#network = new SlowNetwork(connection.network, wrote);
  }

  get isSlow(): boolean {
    return this.#network.isSlow;
  }

  /** What the connection writes goes through it, and will as long as it is there. */
  get isInPlace(): boolean {
    return this.#connection.outbox.network === this.#network;
  }

  /** Looks follow each other from here on: what came before tells nothing, unless it is slow. */
  begin(): void {
    if (!this.isSlow) this.#beganMs = Number.NEGATIVE_INFINITY;
  }

  /**
   * What the system holds for it now, and how long it waits before it sends again. Whether nothing
   * needs to be looked at any more.
   */
  look(queuedBytes: number, resendMs: number, nowMs: number): boolean {
    const wasFull = this.#isFull;
    const periodMs = Math.max(PERIOD_MS, Math.min(PERIOD_MS_MAX, resendMs));
    const { outbox, network } = this.#connection;
    const takenBytes = outbox.trust.writtenBytes - network.unsentBytes;
    const tookMs = nowMs - this.#beganMs;
    const received = takenBytes - this.#takenBytes - (queuedBytes - this.#queuedBytes);
    const isFirst = tookMs === Number.POSITIVE_INFINITY;
    const leftMs = received > 0 ? (queuedBytes * tookMs) / received : Number.POSITIVE_INFINITY;
    const isSure = tookMs >= SURE_MS || received >= SURE_BYTES;
    const isFast = !isFirst && isSure && !this.isSlow && leftMs < QUICK_MS;
    const isQuick = isFast || queuedBytes <= WINDOW_BYTES_MIN;
    if (isFirst || tookMs >= periodMs) {
      if (!isFirst) this.bytesPerSecond = Math.max(0, Math.round((received * 1000) / tookMs));
      if (!isFirst) this.#judge(queuedBytes, leftMs, (received * WINDOW_MS) / tookMs);
      this.#beganMs = nowMs;
      this.#takenBytes = takenBytes;
      this.#queuedBytes = queuedBytes;
    }
    this.#network.holds(queuedBytes);
    this.#goOn(wasFull);
    return isQuick;
  }

  /** Nothing is known of the link any more: it gets what there is. */
  letGo(): void {
    const wasFull = this.#isFull;
    this.#network.windowBytes = Number.POSITIVE_INFINITY;
    this.#goOn(wasFull);
  }

  get #isFull(): boolean {
    return this.#network.unsentBytes > 0;
  }

  /** By a wider window as well as by what the link took. */
  #goOn(wasFull: boolean): void {
    if (wasFull && !this.#isFull) this.#connection.drained();
  }

  #judge(queuedBytes: number, leftMs: number, windowBytes: number): void {
    const slow = this.#network;
    const { outbox, network } = this.#connection;
    // Whoever takes one packet at a time has a network of its own, and less on its way.
    if (outbox.network !== network && outbox.network !== slow) return;
    if (queuedBytes > WINDOW_BYTES_MIN && leftMs > SLOW_MS) {
      if (!slow.isSlow) outbox.leaveThrough(slow);
      const bytes = slow.isSlow ? slow.windowBytes * LESS : windowBytes;
      slow.windowBytes = Math.max(WINDOW_BYTES_MIN, Math.floor(bytes));
    } else if (slow.isSlow && slow.wasFull && leftMs < EASY_MS) {
      const bytes = slow.windowBytes * (leftMs < QUICK_MS ? 2 : MORE);
      slow.windowBytes = bytes > WINDOW_BYTES_MAX ? Number.POSITIVE_INFINITY : bytes;
    }
    slow.wasFull = false;
  }
}
