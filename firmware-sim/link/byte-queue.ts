/** Writes in the order they came. */
export class ByteQueue {
  readonly #chunks: Buffer[] = [];
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
  }

  /** At most `bytesMax`: across writes when they may be joined, otherwise of the first alone. */
  take(bytesMax: number, joins: boolean): Buffer {
    const first = this.#takeFromFirst(bytesMax);
    if (!joins || first.length === bytesMax || this.#bytes === 0) return first;
    const parts = [first];
    for (let left = bytesMax - first.length; left > 0 && this.#bytes > 0; ) {
      const part = this.#takeFromFirst(left);
      parts.push(part);
      left -= part.length;
    }
    return Buffer.concat(parts);
  }

  clear(): void {
    this.#chunks.length = 0;
    this.#bytes = 0;
  }

  #takeFromFirst(bytesMax: number): Buffer {
    const chunk = this.#chunks[0]!;
    const part = chunk.subarray(0, bytesMax);
    if (part.length === chunk.length) this.#chunks.shift();
    else this.#chunks[0] = chunk.subarray(part.length);
    this.#bytes -= part.length;
    return part;
  }
}
