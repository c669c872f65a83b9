/**
 * Sizes of the buffers that an outbox fills: most ticks need the small one, bursts the large one.
 */
export const SMALL_BUFFER_BYTES = 2048;
export const LARGE_BUFFER_BYTES = 65_536;
const SMALL_KEPT_MAX = 4096;
const LARGE_KEPT_MAX = 256;

/**
 * Output buffers of all connections: taken for a tick, given back when their bytes have left, so
 * that an idle connection holds none. Last in, first out keeps the warm ones in use.
 */
export class BufferPool {
  readonly #small: Uint8Array[] = [];
  readonly #large: Uint8Array[] = [];

  small(): Uint8Array {
    return this.#small.pop() ?? new Uint8Array(SMALL_BUFFER_BYTES);
  }

  large(): Uint8Array {
    return this.#large.pop() ?? new Uint8Array(LARGE_BUFFER_BYTES);
  }

  release(buffer: Uint8Array): void {
    if (buffer.length === SMALL_BUFFER_BYTES) {
      if (this.#small.length < SMALL_KEPT_MAX) this.#small.push(buffer);
    } else if (buffer.length === LARGE_BUFFER_BYTES) {
      if (this.#large.length < LARGE_KEPT_MAX) this.#large.push(buffer);
    }
  }
}
