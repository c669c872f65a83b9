import type { EndOfTick, TickTask } from '../base/clock.js';
import { prefixEnd } from './byte-order.js';
import type { Batch, Engine, EntriesReader, Entry, Range, ValuesReader } from './engine.js';
import { PackedBlock } from './packed-block.js';

const BLOCK_ENTRIES_MAX = 256;
const BLOCK_BYTES_MAX = 64 * 1024;
/** A second record is cheap in memory, a copy of a message for each of its receivers is not. */
const INLINE_BYTES_MAX = 64;

/**
 * The engine without durability, for embedding and for tests: everything is gone with the process.
 * A write is done inside `write`; a read is answered at the end of the tick.
 *
 *   blocks  [k0 … k255] [k256 … k400] [k401 … ]    sorted keys; a full block is split in halves,
 *                                                  unless the key joined at its end
 */
export class MemoryEngine implements Engine, TickTask {
  readonly inlineBytesMax: number = INLINE_BYTES_MAX;
  readonly #endOfTick: EndOfTick;
  #blocks: PackedBlock[] = [];
  #answers: (() => void)[] = [];
  #scheduled = false;

  constructor(endOfTick: EndOfTick) {
    this.#endOfTick = endOfTick;
  }

  write(batch: Batch, done: () => void): void {
    for (let i = 0; i < batch.keys.length; i++) {
      const key = batch.keys[i]!;
      const value = batch.values[i];
      if (value === undefined) this.#delete(key);
      else this.#put(key, value);
    }
    done();
  }

  read(range: Range, done: EntriesReader): void {
    this.#answer(() => done(this.#page(range)));
  }

  getMany(keys: readonly Uint8Array[], done: ValuesReader): void {
    this.#answer(() => done(keys.map((key) => this.#get(key))));
  }

  async *scan(prefix: Uint8Array): AsyncIterable<Entry> {
    const all = { gte: prefix, lt: prefixEnd(prefix), countMax: Infinity, bytesMax: Infinity };
    yield* this.#page(all);
  }

  async close(): Promise<void> {
    this.#blocks = [];
  }

  endOfTick(): void {
    this.#scheduled = false;
    const answers = this.#answers;
    this.#answers = [];
    for (const answer of answers) answer();
  }

  #answer(answer: () => void): void {
    this.#answers.push(answer);
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#endOfTick.commit(this);
  }

  #page({ gte, lt, countMax, bytesMax }: Range): Entry[] {
    const entries: Entry[] = [];
    let bytes = 0;
    let blockAt = this.#blockFor(gte);
    let at = this.#blocks[blockAt]?.place(gte) ?? 0;
    for (; blockAt < this.#blocks.length; blockAt++, at = 0) {
      const block = this.#blocks[blockAt]!;
      for (; at < block.count; at++) {
        if (entries.length >= countMax || block.compareKey(at, lt) >= 0) return entries;
        entries.push(block.entry(at));
        bytes += block.valueBytes(at);
        if (bytes >= bytesMax) return entries;
      }
    }
    return entries;
  }

  /** The first block whose last key is not before the key. */
  #blockFor(key: Uint8Array): number {
    let low = 0;
    let high = this.#blocks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const block = this.#blocks[middle]!;
      if (block.compareKey(block.count - 1, key) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #get(key: Uint8Array): Uint8Array | undefined {
    const block = this.#blocks[this.#blockFor(key)];
    const at = block?.place(key) ?? 0;
    return block?.has(at, key) === true ? block.entry(at).value : undefined;
  }

  #put(key: Uint8Array, value: Uint8Array): void {
    if (this.#blocks.length === 0) {
      const first = new PackedBlock();
      first.insert(0, key, value);
      this.#blocks.push(first);
      return;
    }
    const blockAt = Math.min(this.#blockFor(key), this.#blocks.length - 1);
    const block = this.#blocks[blockAt]!;
    const at = block.place(key);
    if (block.has(at, key)) block.replace(at, key, value);
    else block.insert(at, key, value);
    const isFull = block.count > BLOCK_ENTRIES_MAX || block.bytes > BLOCK_BYTES_MAX;
    if (!isFull || block.count === 1) return;
    const isAtTheEnd = at === block.count - 1;
    this.#blocks.splice(blockAt + 1, 0, block.split(isAtTheEnd ? at : block.count >>> 1));
  }

  #delete(key: Uint8Array): void {
    const blockAt = this.#blockFor(key);
    const block = this.#blocks[blockAt];
    if (block === undefined) return;
    const at = block.place(key);
    if (!block.has(at, key)) return;
    block.remove(at);
    if (block.count === 0) this.#blocks.splice(blockAt, 1);
  }
}
