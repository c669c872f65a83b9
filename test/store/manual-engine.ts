import type { StoreFailure } from '../../src/session/session-store.js';
import type {
  Batch,
  Engine,
  EntriesReader,
  Entry,
  Range,
  ValuesReader,
} from '../../src/store/engine.js';
import type { MemoryEngine } from '../../src/store/memory-engine.js';

/**
 * An engine whose writes complete when the test says so, can fail at the Nth operation, and can crash:
 * the batch in flight is then kept or lost, whole. `disk` outlives the crash.
 */
export class ManualEngine implements Engine {
  readonly disk: MemoryEngine;
  /** Counts writes, reads and reads of values; the one with this number fails. */
  failAt = 0;
  operations = 0;
  writes: Batch[] = [];
  /** Called when a batch begins. */
  began: () => void = () => {};
  #inFlight: { batch: Batch; done: (failure?: StoreFailure) => void } | undefined = undefined;

  constructor(disk: MemoryEngine) {
    this.disk = disk;
  }

  get isWriting(): boolean {
    return this.#inFlight !== undefined;
  }

  write(batch: Batch, done: (failure?: StoreFailure) => void): void {
    if (this.#inFlight !== undefined) throw new Error('two writes in flight');
    this.writes.push(batch);
    this.began();
    this.#inFlight = { batch, done };
  }

  read(range: Range, done: EntriesReader): void {
    const failure = this.#failure();
    this.disk.read(range, (entries) => (failure ? done([], failure) : done(entries)));
  }

  getMany(keys: readonly Uint8Array[], done: ValuesReader): void {
    const failure = this.#failure();
    this.disk.getMany(keys, (values) => (failure ? done([], failure) : done(values)));
  }

  scan(prefix: Uint8Array): AsyncIterable<Entry> {
    return this.disk.scan(prefix);
  }

  async close(): Promise<void> {}

  /** Completes the write in flight, or fails it when its turn has come. */
  complete(): void {
    const { batch, done } = this.#inFlight!;
    this.#inFlight = undefined;
    const failure = this.#failure();
    if (failure === undefined) this.disk.write(batch, done);
    else done(failure);
  }

  /** The process is gone. The disk may have the batch that was in flight, though nobody was told. */
  crash(keep: boolean): void {
    const batch = this.#inFlight?.batch ?? (this.failAt > 0 ? this.writes.at(-1) : undefined);
    this.#inFlight = undefined;
    if (keep && batch !== undefined) this.disk.write(batch, () => {});
  }

  #failure(): StoreFailure | undefined {
    this.operations++;
    if (this.operations !== this.failAt) return undefined;
    return { sentence: 'The disk is full.', cause: undefined };
  }
}
