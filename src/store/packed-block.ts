import type { Entry } from './engine.js';

/** Key and value length in front of an entry. */
const HEADER_BYTES = 8;
/** Values above this have an array of their own. */
const PACKED_VALUE_BYTES_MAX = 1024;
/** In place of a value's length where the value stands apart. */
const APART = 0xffff_ffff;
const BYTES_MIN = 64;

/**
 * Entries in order of their keys, with their bytes side by side in one array: an array for each key
 * and each value would take several times what most of them hold.
 *
 *   #at     [ 0, 61, 30 ]                       where entries begin, in order of their keys
 *   #bytes  │ a … │ c … │ b … │ (removed) │ room │      each: lengths, key, value
 */
export class PackedBlock {
  #at: number[] = [];
  #bytes: Uint8Array = new Uint8Array(0);
  #view: DataView = new DataView(this.#bytes.buffer);
  #used = 0;
  /** Of `#used`, what belongs to no entry any more. */
  #garbage = 0;
  /** By where their entries begin. */
  #apart: Map<number, Uint8Array> | undefined = undefined;

  get count(): number {
    return this.#at.length;
  }

  /** Bytes of entries, without values that stand apart. */
  get bytes(): number {
    return this.#used - this.#garbage;
  }

  /** Below 0 when the key of this entry comes before this one. */
  compareKey(index: number, key: Uint8Array): number {
    const at = this.#at[index]!;
    const length = this.#view.getUint32(at);
    const start = at + HEADER_BYTES;
    const shorter = Math.min(length, key.length);
    const bytes = this.#bytes;
    for (let i = 0; i < shorter; i++) {
      const difference = bytes[start + i]! - key[i]!;
      if (difference !== 0) return difference;
    }
    return length - key.length;
  }

  /** The place of the first entry whose key is not before this one. */
  place(key: Uint8Array): number {
    let low = 0;
    let high = this.#at.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.compareKey(middle, key) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  has(index: number, key: Uint8Array): boolean {
    return index < this.#at.length && this.compareKey(index, key) === 0;
  }

  valueBytes(index: number): number {
    const at = this.#at[index]!;
    return this.#apart?.get(at)?.length ?? this.#view.getUint32(at + 4);
  }

  /** Nobody changes what this returns; it is a copy, or a value that stands apart. */
  entry(index: number): Entry {
    const at = this.#at[index]!;
    const keyEnd = at + HEADER_BYTES + this.#view.getUint32(at);
    const key = this.#bytes.slice(at + HEADER_BYTES, keyEnd);
    const apart = this.#apart?.get(at);
    const value = apart ?? this.#bytes.slice(keyEnd, keyEnd + this.#view.getUint32(at + 4));
    return { key, value };
  }

  insert(index: number, key: Uint8Array, value: Uint8Array): void {
    const at = this.#append(key, value);
    if (index === this.#at.length) this.#at.push(at);
    else this.#at.splice(index, 0, at);
  }

  /** Another value under the same key. */
  replace(index: number, key: Uint8Array, value: Uint8Array): void {
    const at = this.#at[index]!;
    const isInPlace = this.#view.getUint32(at + 4) === value.length;
    if (isInPlace) this.#bytes.set(value, at + HEADER_BYTES + key.length);
    else {
      this.remove(index);
      this.insert(index, key, value);
    }
  }

  remove(index: number): void {
    const at = this.#at[index]!;
    this.#garbage += this.#lengthAt(at);
    this.#apart?.delete(at);
    this.#at.splice(index, 1);
    if (this.#at.length === 0 || 2 * this.#garbage > this.#used) this.#pack(0);
  }

  /** Takes out the entries from this one on. */
  split(index: number): PackedBlock {
    const behind = new PackedBlock();
    behind.#bytes = this.#bytes;
    behind.#view = this.#view;
    behind.#apart = this.#apart;
    behind.#at = this.#at.splice(index);
    behind.#pack(0);
    this.#pack(0);
    return behind;
  }

  #append(key: Uint8Array, value: Uint8Array): number {
    const isApart = value.length > PACKED_VALUE_BYTES_MAX;
    const length = HEADER_BYTES + key.length + (isApart ? 0 : value.length);
    if (this.#used + length > this.#bytes.length) this.#pack(length);
    const at = this.#used;
    this.#used += length;
    this.#view.setUint32(at, key.length);
    this.#view.setUint32(at + 4, isApart ? APART : value.length);
    this.#bytes.set(key, at + HEADER_BYTES);
    if (isApart) {
      this.#apart ??= new Map();
      // An exact copy: it may be a view into a large buffer, which would be kept alive.
      this.#apart.set(at, value.slice());
    } else this.#bytes.set(value, at + HEADER_BYTES + key.length);
    return at;
  }

  #lengthAt(at: number): number {
    const valueBytes = this.#view.getUint32(at + 4);
    return HEADER_BYTES + this.#view.getUint32(at) + (valueBytes === APART ? 0 : valueBytes);
  }

  /** Moves what is left together; with room for so many bytes more, and then for some others. */
  #pack(roomBytes: number): void {
    const starts = this.#at;
    let live = 0;
    for (const at of starts) live += this.#lengthAt(at);
    const least = live + roomBytes;
    const packed = new Uint8Array(
      roomBytes === 0 ? live : Math.max(BYTES_MIN, least + (least >> 1)),
    );
    const apart = this.#apart === undefined ? undefined : new Map<number, Uint8Array>();
    let used = 0;
    for (let i = 0; i < starts.length; i++) {
      const at = starts[i]!;
      const length = this.#lengthAt(at);
      packed.set(this.#bytes.subarray(at, at + length), used);
      const value = this.#apart?.get(at);
      if (value !== undefined) apart?.set(used, value);
      starts[i] = used;
      used += length;
    }
    this.#bytes = packed;
    this.#view = new DataView(packed.buffer);
    this.#used = used;
    this.#garbage = 0;
    this.#apart = apart === undefined || apart.size === 0 ? undefined : apart;
  }
}
