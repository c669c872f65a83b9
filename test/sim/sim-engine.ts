import type { StoreFailure } from '../../src/session/session-store.js';
import type {
  Batch,
  Engine,
  EntriesReader,
  Entry,
  Range,
  ValuesReader,
} from '../../src/store/engine.js';
import type { Chance } from './chance.js';
import { SortedBytes } from './sorted-bytes.js';

/** What an engine needs of its world. */
export interface EngineWorld {
  after(delayMs: number, label: string, run: () => void): unknown;
  readonly diskChance: Chance;
  readonly diskLatencyMsMax: number;
}

/** What survives the process. */
export class SimDisk {
  durable: SortedBytes = new SortedBytes();
  writes = 0;
  reads = 0;
  /** The write with this number (counted from 0 over the life of the disk) fails. */
  failAtWrite = -1;
  failAtRead = -1;

  repair(): void {
    this.failAtWrite = -1;
    this.failAtRead = -1;
  }
}

/**
 * A disk that answers later: a batch becomes visible to reads, then durable. When the process dies, the
 * batch that was on its way is kept or lost as a whole, by the seed.
 */
export class SimEngine implements Engine {
  readonly #world: EngineWorld;
  readonly #disk: SimDisk;
  readonly #visible: SortedBytes;
  #inFlight: Batch | undefined = undefined;
  #failure: StoreFailure | undefined = undefined;
  #alive = true;

  constructor(world: EngineWorld, disk: SimDisk) {
    this.#world = world;
    this.#disk = disk;
    this.#visible = disk.durable.copy();
  }

  get failed(): boolean {
    return this.#failure !== undefined;
  }

  write(batch: Batch, done: (failure?: StoreFailure) => void): void {
    if (this.#inFlight !== undefined) throw new Error('two writes are in flight');
    this.#inFlight = batch;
    const isFailing = this.#disk.writes++ === this.#disk.failAtWrite;
    const visibleMs = this.#latencyMs();
    const durableMs = visibleMs + this.#latencyMs();
    if (isFailing) this.#failure = { sentence: 'The disk failed.', cause: new Error('simulated') };
    const isApplied = !isFailing || this.#world.diskChance.percent(50);
    let isVisible = !isApplied;
    const show = (): void => {
      if (!isVisible) apply(batch, this.#visible);
      isVisible = true;
    };
    this.#later(visibleMs, 'disk visible', show);
    this.#later(durableMs, `disk done ${batch.length}`, () => {
      if (this.#failure !== undefined) {
        done(this.#failure);
        return;
      }
      // Both may fall on one instant, in either order.
      show();
      apply(batch, this.#disk.durable);
      this.#inFlight = undefined;
      done();
    });
  }

  read(range: Range, done: EntriesReader): void {
    this.#answer('disk read', done, () => this.#page(range), []);
  }

  getMany(keys: readonly Uint8Array[], done: ValuesReader): void {
    const wanted = keys.map((key) => key.slice());
    this.#answer('disk get', done, () => wanted.map((key) => this.#visible.get(key)), []);
  }

  async *scan(prefix: Uint8Array): AsyncIterable<Entry> {
    for (const [key, value] of this.#visible.from(prefix)) {
      if (Buffer.compare(key.subarray(0, prefix.length), prefix) !== 0) return;
      yield { key, value };
    }
  }

  async close(): Promise<void> {
    this.#alive = false;
  }

  /** The process died. What was not yet confirmed may have reached the disk all the same. */
  crash(): void {
    this.#alive = false;
    if (this.#inFlight === undefined) return;
    if (this.#world.diskChance.percent(50)) apply(this.#inFlight, this.#disk.durable);
  }

  /** A page is as it was when asked for or when answered: both are what a disk may do. */
  #answer<T>(
    label: string,
    done: (result: T, failure?: StoreFailure) => void,
    look: () => T,
    nothing: T,
  ): void {
    if (this.#disk.reads++ === this.#disk.failAtRead) {
      this.#failure = { sentence: 'The disk failed.', cause: new Error('simulated') };
    }
    const early = this.#world.diskChance.percent(50) ? look() : undefined;
    this.#later(this.#latencyMs(), label, () => {
      if (this.#failure !== undefined) done(nothing, this.#failure);
      else done(early ?? look());
    });
  }

  #page(range: Range): Entry[] {
    const entries: Entry[] = [];
    let bytes = 0;
    for (const [key, value] of this.#visible.from(range.gte)) {
      if (Buffer.compare(key, range.lt) >= 0 || entries.length >= range.countMax) break;
      entries.push({ key, value });
      bytes += value.length;
      if (bytes >= range.bytesMax) break;
    }
    return entries;
  }

  #latencyMs(): number {
    return this.#world.diskChance.below(this.#world.diskLatencyMsMax + 1);
  }

  #later(delayMs: number, label: string, run: () => void): void {
    this.#world.after(delayMs, label, () => {
      if (this.#alive) run();
    });
  }
}

function apply(batch: Batch, to: SortedBytes): void {
  for (let i = 0; i < batch.keys.length; i++) {
    const value = batch.values[i];
    if (value === undefined) to.delete(batch.keys[i]!);
    else to.set(batch.keys[i]!, value);
  }
}
