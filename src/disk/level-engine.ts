import type { StoreFailure } from '../session/session-store.js';
import { prefixEnd } from '../store/byte-order.js';
import type { Batch, Engine, EntriesReader, Entry, Range, ValuesReader } from '../store/engine.js';
import { type Database, openDatabase } from './open-database.js';
import { isFull } from './store-open-error.js';

const MIB = 1024 * 1024;
const BACKGROUND_SYNC_MS = 100;
const SCAN_ENTRIES = 1000;
/** Values up to this size are copied to where their neighbours are. */
const GATHERED_BYTES_MAX = 1024;
/** Bytes of keys and values that LevelDB hands over at once. */
const READ_AHEAD_BYTES = 256 * 1024;
/** Deleting it writes nothing that is ever read: it only makes LevelDB sync its log. */
const SYNC_KEY = Uint8Array.of(0);
const NO_KEY = new Uint8Array(0);
/** For keys that bound what is read and are not read themselves: the binding makes no Buffers. */
const KEYS_UNREAD = {
  name: 'unread',
  format: 'utf8' as const,
  encode: (key: Uint8Array) => key,
  decode: () => NO_KEY,
};

export interface LevelEngineOptions {
  readonly folder: string;
  /**
   * `power`: a batch is done when the disk has it, so it outlives a power cut. `process`: when the
   * operating system has it, so it outlives the process; the disk has it at most 100 ms later.
   */
  readonly durability: 'power' | 'process';
  /**
   * Memory for what is not sorted into tables yet, up to twice; 16 MiB when absent. Less costs
   * processor time, more only memory.
   */
  readonly writeBufferBytes?: number;
}

/** The engine on LevelDB. One process at a time may have a folder open. */
export class LevelEngine implements Engine {
  readonly #database: Database;
  readonly #folder: string;
  readonly #sync: boolean;
  readonly #reads = new Set<Promise<void>>();
  #timer: NodeJS.Timeout | undefined = undefined;
  #failure: StoreFailure | undefined = undefined;

  private constructor(database: Database, options: LevelEngineOptions) {
    this.#database = database;
    this.#folder = options.folder;
    this.#sync = options.durability === 'power';
  }

  /** Creates the store when the folder is empty or not there. Rejects with a `StoreOpenError`. */
  static async open(options: LevelEngineOptions): Promise<LevelEngine> {
    const database = await openDatabase({
      folder: options.folder,
      writeBufferBytes: options.writeBufferBytes ?? 16 * MIB,
      isSynced: options.durability === 'power',
    });
    return new LevelEngine(database, options);
  }

  write(batch: Batch, done: (failure?: StoreFailure) => void): void {
    // The chained batch goes straight to LevelDB; the array form clones each operation first.
    const chained = this.#database.batch();
    const { keys, values } = batch;
    for (let i = 0; i < keys.length; i++) {
      const value = values[i];
      if (value === undefined) chained.del(keys[i]!);
      else chained.put(keys[i]!, value);
    }
    // Strictly a boolean: the binding takes an undefined for a bool it never set.
    const options: { sync: boolean } = { sync: this.#sync };
    chained.write(options).then(
      () => {
        if (!this.#sync && this.#timer === undefined) this.#armBackgroundSync();
        done(this.#failure);
      },
      (error: unknown) => done(this.#failed('written', error)),
    );
  }

  read(range: Range, done: EntriesReader): void {
    this.#track(
      this.#page(range).then(
        (entries) => done(entries),
        (error: unknown) => done([], this.#failed('read', error)),
      ),
    );
  }

  getMany(keys: readonly Uint8Array[], done: ValuesReader): void {
    this.#track(
      this.#database.getMany([...keys]).then(
        (values) => done(values.map((value) => value && plain(value))),
        (error: unknown) => done([], this.#failed('read', error)),
      ),
    );
  }

  async *scan(prefix: Uint8Array): AsyncIterable<Entry> {
    const iterator = this.#database.iterator({
      gte: prefix,
      lt: prefixEnd(prefix),
      highWaterMarkBytes: READ_AHEAD_BYTES,
      fillCache: false,
    });
    try {
      for (;;) {
        const found = await iterator.nextv(SCAN_ENTRIES);
        if (found.length === 0) return;
        for (const [key, value] of found) yield { key, value: plain(value) };
      }
    } finally {
      await iterator.close();
    }
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer);
    await Promise.all(this.#reads);
    if (!this.#sync && this.#failure === undefined) await this.#syncNow();
    await this.#database.close();
  }

  async #page({ gte, lt, countMax, bytesMax, withoutKeys = false }: Range): Promise<Entry[]> {
    const iterator = this.#database.iterator<Uint8Array, Uint8Array>({
      gte,
      lt,
      limit: countMax,
      highWaterMarkBytes: READ_AHEAD_BYTES,
      ...(withoutKeys ? { keys: false, keyEncoding: KEYS_UNREAD } : {}),
    });
    const entries: Entry[] = [];
    let bytes = 0;
    try {
      while (entries.length < countMax && bytes < bytesMax) {
        const found = await iterator.nextv(countMax - entries.length);
        if (found.length === 0) break;
        bytes += gather(found, bytesMax - bytes, withoutKeys, entries);
      }
      return entries;
    } finally {
      await iterator.close();
    }
  }

  #track(read: Promise<void>): void {
    this.#reads.add(read);
    void read.finally(() => this.#reads.delete(read));
  }

  #armBackgroundSync(): void {
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#track(this.#syncNow());
    }, BACKGROUND_SYNC_MS);
    this.#timer.unref();
  }

  /** A failure is told to the next write, and so latches. */
  async #syncNow(): Promise<void> {
    try {
      await this.#database.batch().del(SYNC_KEY).write({ sync: true });
    } catch (error) {
      this.#failed('written', error);
    }
  }

  #failed(what: 'written' | 'read', cause: unknown): StoreFailure {
    this.#failure ??= { sentence: sentenceOf(this.#folder, what, cause), cause };
    return this.#failure;
  }
}

function sentenceOf(folder: string, what: 'written' | 'read', cause: unknown): string {
  const reason = cause instanceof Error ? cause.message : String(cause);
  if (isFull(reason)) {
    return (
      `The store in ${folder} could not be ${what} because the disk is full; free some space and ` +
      'start the broker again: all that was acknowledged is there.'
    );
  }
  return (
    `The store in ${folder} could not be ${what} (${reason}); check its disk and start the broker ` +
    'again: all that was acknowledged before is there if the disk is sound.'
  );
}

/**
 * Takes over entries up to the one with which their values reach `bytesMax`; returns how many bytes
 * those have. A Buffer of the binding is dear to the collector of garbage, so small values are
 * copied side by side: what stays of them is views.
 */
function gather(
  found: readonly [key: Uint8Array, value: Uint8Array][],
  bytesMax: number,
  withoutKeys: boolean,
  entries: Entry[],
): number {
  let bytes = 0;
  let gatheredBytes = 0;
  let count = 0;
  while (count < found.length && bytes < bytesMax) {
    const { length } = found[count++]![1];
    bytes += length;
    if (length <= GATHERED_BYTES_MAX) gatheredBytes += length;
  }
  const gathered = new Uint8Array(gatheredBytes);
  let at = 0;
  for (let i = 0; i < count; i++) {
    const [key, read] = found[i]!;
    let value: Uint8Array;
    if (read.length > GATHERED_BYTES_MAX) value = plain(read);
    else {
      gathered.set(read, at);
      value = gathered.subarray(at, at + read.length);
      at += read.length;
    }
    entries.push({ key: withoutKeys ? NO_KEY : key, value });
  }
  return bytes;
}

/**
 * LevelDB's binding gives Buffers, whose views are dear to make; the floors above make many of
 * values.
 */
function plain(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}
