/** An ordered map of bytes; a key is held as a string of one character a byte, which sorts alike. */
export class SortedBytes {
  #keys: string[] = [];
  #values = new Map<string, Uint8Array>();

  get size(): number {
    return this.#keys.length;
  }

  get(key: Uint8Array): Uint8Array | undefined {
    return this.#values.get(text(key));
  }

  set(key: Uint8Array, value: Uint8Array): void {
    const name = text(key);
    if (!this.#values.has(name)) this.#keys.splice(this.#place(name), 0, name);
    this.#values.set(name, value.slice());
  }

  delete(key: Uint8Array): void {
    const name = text(key);
    if (!this.#values.delete(name)) return;
    this.#keys.splice(this.#place(name), 1);
  }

  /** Pairs from `gte` on, in order. */
  *from(gte: Uint8Array): Generator<readonly [key: Uint8Array, value: Uint8Array]> {
    for (let at = this.#place(text(gte)); at < this.#keys.length; at++) {
      const name = this.#keys[at]!;
      yield [Uint8Array.from(Buffer.from(name, 'latin1')), this.#values.get(name)!.slice()];
    }
  }

  copy(): SortedBytes {
    const copy = new SortedBytes();
    copy.#keys = [...this.#keys];
    copy.#values = new Map(this.#values);
    return copy;
  }

  #place(name: string): number {
    let low = 0;
    let high = this.#keys.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#keys[middle]! < name) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function text(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('latin1');
}
