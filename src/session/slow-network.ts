import type { WriteRelease } from './network-connection.js';
import type { OutboxNetwork } from './outbox-network.js';

/** Above this no link is slow. */
export const WINDOW_BYTES_MAX = 65_536;

/**
 * The network of a client whose link is slower than what is sent to it. The system would take
 * megabytes, and no answer could overtake them: so this one counts as full as soon as the system
 * holds more than the link takes soon. Nothing waits here, it waits in the Outbox.
 */
export class SlowNetwork implements OutboxNetwork {
  /** As much may wait in the system; Infinity while the link is not slow. */
  windowBytes: number = Number.POSITIVE_INFINITY;
  /** It was full since this was last set to false. */
  wasFull = false;
  readonly #network: OutboxNetwork;
  readonly #wrote: () => void;
  #queuedBytes = 0;

  /** `wrote` is called whenever something was given to the system while the link is slow. */
  constructor(network: OutboxNetwork, wrote: () => void) {
    this.#network = network;
    this.#wrote = wrote;
  }

  get isSlow(): boolean {
    return this.windowBytes !== Number.POSITIVE_INFINITY;
  }

  get takesBursts(): boolean {
    return !this.isSlow && this.#network.takesBursts === true;
  }

  get prefersSmallWrites(): boolean {
    return this.isSlow;
  }

  /** Above 0 also while the system holds enough. */
  get unsentBytes(): number {
    return this.#network.unsentBytes + Math.max(0, this.#queuedBytes - this.windowBytes);
  }

  write(parts: readonly Uint8Array[], release: WriteRelease): void {
    for (const part of parts) this.#queuedBytes += part.length;
    this.#network.write(parts, release);
    if (!this.isSlow) return;
    if (this.#queuedBytes > this.windowBytes) this.wasFull = true;
    this.#wrote();
  }

  /** The system says how much that is. */
  holds(queuedBytes: number): void {
    this.#queuedBytes = queuedBytes;
  }
}
