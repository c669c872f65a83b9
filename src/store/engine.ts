import type { StoreFailure } from '../session/session-store.js';

export interface Entry {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/** Keys `gte <= key < lt` in order of their bytes, at most `countMax` of them. */
export interface Range {
  readonly gte: Uint8Array;
  readonly lt: Uint8Array;
  readonly countMax: number;
  /** Ends the page once its values reach this many bytes; one entry always fits. */
  readonly bytesMax: number;
  /** The keys are not asked for: an engine to which they are dear gives empty ones. */
  readonly withoutKeys?: boolean;
}

export type EntriesReader = (entries: readonly Entry[], failure?: StoreFailure) => void;
export type ValuesReader = (
  values: readonly (Uint8Array | undefined)[],
  failure?: StoreFailure,
) => void;

/**
 * Puts and deletes that become durable together. They apply in order, so a later operation on the
 * same key wins. Nothing is changed behind `write`: an engine may keep the arrays.
 */
export class Batch {
  readonly keys: Uint8Array[] = [];
  /** Undefined where the key of the same place is deleted. */
  readonly values: (Uint8Array | undefined)[] = [];

  get length(): number {
    return this.keys.length;
  }

  put(key: Uint8Array, value: Uint8Array): void {
    this.keys.push(key);
    this.values.push(value);
  }

  delete(key: Uint8Array): void {
    this.keys.push(key);
    this.values.push(undefined);
  }
}

/** An ordered map of bytes that keeps what it has confirmed. */
export interface Engine {
  /**
   * A message up to this size is better stored with each of its queue entries than once for all;
   * undefined leaves it to the store.
   */
  readonly inlineBytesMax?: number;
  /**
   * Writes all of the batch, durably, or fails. At most one write is in flight. `done` is called
   * once; an engine without a disk calls it inside `write`.
   */
  write(batch: Batch, done: (failure?: StoreFailure) => void): void;
  /** Reads a page of what is committed. `done` is called once and never inside `read`. */
  read(range: Range, done: EntriesReader): void;
  /** Reads the values of the keys, undefined where there is none. `done` as with `read`. */
  getMany(keys: readonly Uint8Array[], done: ValuesReader): void;
  /**
   * All entries whose key begins with the prefix (one byte or more), in order. For recovery only.
   */
  scan(prefix: Uint8Array): AsyncIterable<Entry>;
  /** Ends after the write in flight; nothing may be asked afterwards. */
  close(): Promise<void>;
}
