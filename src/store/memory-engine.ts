import type { EndOfTick, TickTask } from '../base/clock.js';
import { compareBytes, prefixEnd } from './byte-order.js';
import type { Batch, Engine, EntriesReader, Entry, Range, ValuesReader } from './engine.js';

const BLOCK_ENTRIES_MAX = 256;

interface Block {
  keys: Uint8Array[];
  values: Uint8Array[];
}

/**
 * The engine without durability, for embedding and for tests: everything is gone with the process.
 * A write is done inside `write`; a read is answered at the end of the tick.
 *
 *   blocks  [k0 … k255] [k256 … k400] [k401 … ]    sorted keys; a full block is split in halves,
 *                                                  unless the key joins the very end
 */
export class MemoryEngine implements Engine, TickTask {
  readonly #endOfTick: EndOfTick;
  #blocks: Block[] = [];
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

  #page(range: Range): Entry[] {
    const entries: Entry[] = [];
    let bytes = 0;
    let blockAt = this.#blockFor(range.gte);
    let at = blockAt < this.#blocks.length ? place(this.#blocks[blockAt]!.keys, range.gte) : 0;
    for (; blockAt < this.#blocks.length; blockAt++, at = 0) {
      const { keys, values } = this.#blocks[blockAt]!;
      for (; at < keys.length; at++) {
        const key = keys[at]!;
        if (compareBytes(key, range.lt) >= 0 || entries.length >= range.countMax) return entries;
        const value = values[at]!;
        entries.push({ key, value });
        bytes += value.length;
        if (bytes >= range.bytesMax) return entries;
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
      const { keys } = this.#blocks[middle]!;
      if (compareBytes(keys[keys.length - 1]!, key) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #get(key: Uint8Array): Uint8Array | undefined {
    const block = this.#blocks[this.#blockFor(key)];
    if (block === undefined) return undefined;
    const at = place(block.keys, key);
    return isAt(block.keys, at, key) ? block.values[at] : undefined;
  }

  #put(sharedKey: Uint8Array, sharedValue: Uint8Array): void {
    // Exact copies: the batch's bytes are views into large buffers that would be kept alive.
    const value = sharedValue.slice();
    const blockAt = Math.min(this.#blockFor(sharedKey), this.#blocks.length - 1);
    const block = this.#blocks[blockAt];
    if (block === undefined) {
      this.#blocks.push({ keys: [sharedKey.slice()], values: [value] });
      return;
    }
    const at = place(block.keys, sharedKey);
    if (isAt(block.keys, at, sharedKey)) {
      block.values[at] = value;
      return;
    }
    const key = sharedKey.slice();
    if (block.keys.length < BLOCK_ENTRIES_MAX) {
      block.keys.splice(at, 0, key);
      block.values.splice(at, 0, value);
      return;
    }
    this.#split(blockAt, at === block.keys.length ? at : BLOCK_ENTRIES_MAX >>> 1);
    if (at === block.keys.length && this.#blocks[blockAt + 1]!.keys.length === 0) {
      this.#blocks[blockAt + 1] = { keys: [key], values: [value] };
      return;
    }
    this.#put(key, value);
  }

  #split(blockAt: number, at: number): void {
    const block = this.#blocks[blockAt]!;
    const behind: Block = { keys: block.keys.splice(at), values: block.values.splice(at) };
    this.#blocks.splice(blockAt + 1, 0, behind);
  }

  #delete(key: Uint8Array): void {
    const blockAt = this.#blockFor(key);
    const block = this.#blocks[blockAt];
    if (block === undefined) return;
    const at = place(block.keys, key);
    if (!isAt(block.keys, at, key)) return;
    block.keys.splice(at, 1);
    block.values.splice(at, 1);
    if (block.keys.length === 0) this.#blocks.splice(blockAt, 1);
  }
}

/** The place of the first key that is not before this one. */
function place(keys: readonly Uint8Array[], key: Uint8Array): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareBytes(keys[middle]!, key) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

function isAt(keys: readonly Uint8Array[], at: number, key: Uint8Array): boolean {
  return at < keys.length && compareBytes(keys[at]!, key) === 0;
}
