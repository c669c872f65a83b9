import { Fifo } from '../base/fifo.js';

/** What was given to the network in one go, and the pooled buffers that it stands in. */
interface Write {
  parts: readonly Uint8Array[] | undefined;
  buffers: Uint8Array | Uint8Array[];
}

/**
 * Writes that have not left, behind an older one. They leave in their order, but one that cannot
 * leave any more is given up at once, while those before it are still on their way.
 */
export class LaterWrites {
  readonly #writes = new Fifo<Write>();

  push(parts: readonly Uint8Array[], buffers: Uint8Array | Uint8Array[]): void {
    this.#writes.push({ parts, buffers });
  }

  /** The oldest that was not given up. */
  shift(): Write | undefined {
    let write = this.#writes.shift();
    while (write !== undefined && write.parts === undefined) write = this.#writes.shift();
    return write;
  }

  /** The buffers of that one, whose list of parts belongs to its owner again. */
  giveUp(parts: readonly Uint8Array[]): Uint8Array | Uint8Array[] | undefined {
    for (const write of this.#writes) {
      if (write.parts !== parts) continue;
      write.parts = undefined;
      return write.buffers;
    }
    return undefined;
  }
}
