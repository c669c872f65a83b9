/** Sizes of the buffers that an outbox fills: an answer, some messages, a burst. */
export const SMALL_BUFFER_BYTES = 512;
export const MEDIUM_BUFFER_BYTES = 8192;
export const LARGE_BUFFER_BYTES = 65_536;
const SMALL_KEPT_MAX = 4096;
const MEDIUM_KEPT_MAX = 512;
const LARGE_KEPT_MAX = 256;
const NO_BYTES = new Uint8Array(0);

/**
 * Output buffers of all connections: taken for a tick, given back when their bytes have left, so
 * that an idle connection holds none. Last in, first out keeps the warm ones in use.
 */
export class BufferPool {
  readonly #small: Uint8Array[] = [];
  readonly #medium: Uint8Array[] = [];
  readonly #large: Uint8Array[] = [];
  /** Most writes have one part and are over when they return: they share this list. */
  #onePart: Uint8Array[] | undefined = undefined;

  /** A buffer of at least this size. Above the large one it is made for the purpose. */
  take(bytes: number): Uint8Array {
    if (bytes <= SMALL_BUFFER_BYTES) return this.#small.pop() ?? new Uint8Array(SMALL_BUFFER_BYTES);
    if (bytes <= MEDIUM_BUFFER_BYTES) {
      return this.#medium.pop() ?? new Uint8Array(MEDIUM_BUFFER_BYTES);
    }
    if (bytes <= LARGE_BUFFER_BYTES) return this.#large.pop() ?? new Uint8Array(LARGE_BUFFER_BYTES);
    return new Uint8Array(bytes);
  }

  /** At least `bytes`, beginning with `keptBytes` of the old buffer, which is given back. */
  larger(old: Uint8Array | undefined, keptBytes: number, bytes: number): Uint8Array {
    const buffer = this.take(bytes);
    if (old !== undefined) {
      buffer.set(old.subarray(0, keptBytes));
      this.release(old);
    }
    return buffer;
  }

  releaseAll(buffers: Uint8Array | Uint8Array[]): void {
    if (buffers instanceof Uint8Array) this.release(buffers);
    else for (const buffer of buffers) this.release(buffer);
  }

  release(buffer: Uint8Array): void {
    switch (buffer.length) {
      case SMALL_BUFFER_BYTES:
        if (this.#small.length < SMALL_KEPT_MAX) this.#small.push(buffer);
        break;
      case MEDIUM_BUFFER_BYTES:
        if (this.#medium.length < MEDIUM_KEPT_MAX) this.#medium.push(buffer);
        break;
      case LARGE_BUFFER_BYTES:
        if (this.#large.length < LARGE_KEPT_MAX) this.#large.push(buffer);
        break;
    }
  }

  /** A list of one part, to be given back when its write has left. */
  partsOf(part: Uint8Array): Uint8Array[] {
    const parts = this.#onePart ?? [];
    this.#onePart = undefined;
    parts[0] = part;
    return parts;
  }

  releaseParts(parts: Uint8Array[]): void {
    if (parts.length !== 1) return;
    parts[0] = NO_BYTES;
    this.#onePart = parts;
  }
}
