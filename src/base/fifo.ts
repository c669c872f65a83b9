/** Capacity of the first ring, and of the one kept when a larger ring has emptied. */
const SLOTS_MIN = 8;
/** A ring above this size is given back when it empties. */
const SLOTS_KEPT_MAX = 64;
/** The ring of all that have none; never written. */
const NO_SLOTS: undefined[] = [];

/**
 * First in, first out, on a ring whose capacity is a power of two. An unused one holds no ring.
 *
 *   slots  │ g │ h │   │   │ c │ d │ e │ f │      mask = 7, length = 6
 *                ▲           ▲
 *                │           └ head: what shift() takes
 *                └ (head + length) & mask: where push() puts
 */
export class Fifo<T> {
  #slots: (T | undefined)[] = NO_SLOTS;
  #mask = -1;
  #head = 0;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(value: T): void {
    if (this.#length > this.#mask) this.#grow();
    this.#slots[(this.#head + this.#length) & this.#mask] = value;
    this.#length++;
  }

  shift(): T | undefined {
    if (this.#length === 0) return undefined;
    const head = this.#head;
    const value = this.#slots[head];
    this.#slots[head] = undefined;
    this.#head = (head + 1) & this.#mask;
    this.#length--;
    if (this.#length === 0 && this.#mask >= SLOTS_KEPT_MAX) this.clear();
    return value;
  }

  /** What `shift` would take. */
  peek(): T | undefined {
    return this.#length === 0 ? undefined : this.#slots[this.#head];
  }

  /** Forgets all values and gives the ring back. */
  clear(): void {
    this.#slots = NO_SLOTS;
    this.#mask = -1;
    this.#head = 0;
    this.#length = 0;
  }

  /** From first to last; the queue must not change meanwhile. */
  *[Symbol.iterator](): Generator<T> {
    for (let i = 0; i < this.#length; i++) {
      yield this.#slots[(this.#head + i) & this.#mask] as T;
    }
  }

  #grow(): void {
    const capacity = Math.max(SLOTS_MIN, this.#slots.length * 2);
    const slots = new Array<T | undefined>(capacity).fill(undefined);
    for (let i = 0; i < this.#length; i++) {
      slots[i] = this.#slots[(this.#head + i) & this.#mask];
    }
    this.#slots = slots;
    this.#mask = capacity - 1;
    this.#head = 0;
  }
}
