import type { ChangeCounters, Observer } from './change-counters.js';

/** Where an entry may lie: from the slot its hash names on. One cache line of hashes. */
const PROBES_MAX = 16;
const SLOTS_MIN = 256;
/** Slots per entry, at least: then hardly one name in a thousand finds its slots taken. */
const SLOTS_PER_ENTRY = 2;
/** A length and a name of up to 31 bytes, beside the hashes: found without touching the entry. */
const HEAD_BYTES = 32;
/** Memory of an entry beside its name, as measured: object, array, string, two to four slots. */
const ENTRY_BYTES = 640;
/** The name is held as bytes and as text. */
const COPIES = 2;
/** Looked at with each change of a filter with wildcards. */
const SWEEP_SLOTS = 16;
const STALE = -1;
/** A route that takes more than this part of all memory would drive out too many others. */
const ROUTE_PART_MAX = 1 / 8;

/** A Topic Name that has been seen, with what was last computed for it. */
export class TopicEntry<R> implements Observer {
  readonly bytes: Uint8Array;
  readonly name: string;
  /** The rest belongs to the cache. */
  readonly hash: number;
  route: R | undefined = undefined;
  /** The sum of its counters for which `route` holds. */
  sum: number = STALE;
  /** What `route` counts against the memory of the table. */
  routeBytes = 0;
  /** Lies in the table. */
  isKnown = false;
  counter1 = 0;
  counter2 = 0;
  counter3 = 0;
  counter4 = 0;
  /** Used since the hand last passed. */
  used = false;

  constructor(bytes: Uint8Array, name: string, hash: number) {
    this.bytes = bytes;
    this.name = name;
    this.hash = hash;
  }

  get cost(): number {
    return this.bytes.length * COPIES + ENTRY_BYTES;
  }
}

/**
 * A bounded set of entries, found by bytes. An entry lies in one of the sixteen slots from `hash &
 * mask` on, or nowhere: so a search is short whatever names there are. When a bound is met a hand
 * goes around and evicts the first entry that was not used since it last came by.
 *
 *   hashes   │ 0 │ h1       │ h2         │ 0 │ …    compared first; 0 is an empty slot
 *   heads    │   │ 3 "a/b"  │ 32         │   │ …    length and bytes; 32: see the entry
 *   entries  │   │ e1       │ e2         │   │ …
 *
 * With 100,000 names in use a hit costs about a quarter of what it costs to compare with each
 * entry's own bytes, because those lie behind two more pointers and are in no cache.
 *
 * An entry outside the table still serves those who hold it, but keeps no route: nothing bounds how
 * many of those there are.
 */
export class TopicTable<R> {
  readonly #entriesMax: number;
  readonly #bytesMax: number;
  readonly #counters: ChangeCounters;
  #hashes = new Int32Array(SLOTS_MIN);
  #entries: (TopicEntry<R> | undefined)[] = new Array(SLOTS_MIN).fill(undefined);
  #heads = new Uint8Array(SLOTS_MIN * HEAD_BYTES);
  #size = 0;
  #bytes = 0;
  #hand = 0;
  #broom = 0;

  constructor(entriesMax: number, bytesMax: number, counters: ChangeCounters) {
    this.#entriesMax = entriesMax;
    this.#bytesMax = bytesMax;
    this.#counters = counters;
  }

  get size(): number {
    return this.#size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  find(hash: number, bytes: Uint8Array, start: number, end: number): TopicEntry<R> | undefined {
    const hashes = this.#hashes;
    const mask = hashes.length - 1;
    for (let i = 0; i < PROBES_MAX; i++) {
      const slot = (hash + i) & mask;
      if (hashes[slot] !== hash) continue;
      if (this.#isAt(slot, bytes, start, end)) return this.#entries[slot];
    }
    return undefined;
  }

  /** Adds an entry that is not there. One that exceeds the bounds by itself stays outside. */
  add(entry: TopicEntry<R>): void {
    const cost = entry.cost;
    if (cost > this.#bytesMax || this.#entriesMax < 1) return;
    while (this.#size >= this.#entriesMax || this.#bytes + cost > this.#bytesMax) this.#evictOne();
    if ((this.#size + 1) * SLOTS_PER_ENTRY > this.#hashes.length) this.#grow();
    this.#counters.observe(entry, entry.bytes);
    this.#put(entry);
  }

  /** Keeps the route of an entry as long as there is memory for it. */
  keepRoute(entry: TopicEntry<R>, route: R, sum: number, routeBytes: number): void {
    if (!entry.isKnown) return;
    this.makeStale(entry);
    if (routeBytes > this.#bytesMax * ROUTE_PART_MAX) return;
    entry.route = route;
    entry.sum = sum;
    entry.routeBytes = routeBytes;
    this.#bytes += routeBytes;
    entry.used = true;
    while (this.#bytes > this.#bytesMax) this.#evictOne();
  }

  makeStale(entry: TopicEntry<R>): void {
    this.#bytes -= entry.routeBytes;
    entry.routeBytes = 0;
    entry.sum = STALE;
    entry.route = undefined;
  }

  /**
   * Looks at the next few entries and lets go of routes that hold no more: they would keep sessions
   * in memory that have ended, as long as nobody publishes to the name.
   */
  sweep(): void {
    for (let i = 0; i < SWEEP_SLOTS; i++) {
      const slot = this.#broom;
      this.#broom = (slot + 1) & (this.#hashes.length - 1);
      const entry = this.#entries[slot];
      if (entry !== undefined && entry.sum !== this.#counters.sumOf(entry)) this.makeStale(entry);
    }
  }

  /** Whether the name in an occupied slot is this one. */
  #isAt(slot: number, bytes: Uint8Array, start: number, end: number): boolean {
    const length = end - start;
    if (length >= HEAD_BYTES) return isSame(this.#entries[slot]!.bytes, bytes, start, end);
    const heads = this.#heads;
    const head = slot * HEAD_BYTES;
    if (heads[head] !== length) return false;
    for (let i = 0; i < length; i++) {
      if (heads[head + 1 + i] !== bytes[start + i]) return false;
    }
    return true;
  }

  #put(entry: TopicEntry<R>): void {
    const slot = this.#slotFor(entry.hash);
    if (this.#hashes[slot] !== 0) this.#evict(slot);
    this.#hashes[slot] = entry.hash;
    this.#entries[slot] = entry;
    this.#putHead(slot, entry.bytes);
    this.#size++;
    this.#bytes += entry.cost + entry.routeBytes;
    entry.isKnown = true;
  }

  #putHead(slot: number, name: Uint8Array): void {
    const head = slot * HEAD_BYTES;
    if (name.length < HEAD_BYTES) {
      this.#heads[head] = name.length;
      this.#heads.set(name, head + 1);
    } else {
      this.#heads[head] = HEAD_BYTES;
    }
  }

  /** An empty slot, or one whose entry was not used lately, or the first. */
  #slotFor(hash: number): number {
    const mask = this.#hashes.length - 1;
    let unused = -1;
    for (let i = 0; i < PROBES_MAX; i++) {
      const slot = (hash + i) & mask;
      if (this.#hashes[slot] === 0) return slot;
      if (unused < 0 && !this.#entries[slot]!.used) unused = slot;
    }
    return unused < 0 ? hash & mask : unused;
  }

  #evictOne(): void {
    for (;;) {
      const slot = this.#hand;
      this.#hand = (slot + 1) & (this.#hashes.length - 1);
      const entry = this.#entries[slot];
      if (entry === undefined) continue;
      if (!entry.used) {
        this.#evict(slot);
        return;
      }
      entry.used = false;
    }
  }

  #evict(slot: number): void {
    const entry = this.#entries[slot]!;
    this.#hashes[slot] = 0;
    this.#entries[slot] = undefined;
    this.#size--;
    this.#bytes -= entry.cost;
    this.makeStale(entry);
    entry.isKnown = false;
  }

  #grow(): void {
    const entries = this.#entries;
    this.#hashes = new Int32Array(entries.length * 2);
    this.#entries = new Array(entries.length * 2).fill(undefined);
    this.#heads = new Uint8Array(entries.length * 2 * HEAD_BYTES);
    this.#size = 0;
    this.#bytes = 0;
    for (const entry of entries) {
      if (entry !== undefined) this.#put(entry);
    }
  }
}

/** Whether the name is what stands there. */
export function isSame(name: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (name.length !== end - start) return false;
  for (let i = 0; i < name.length; i++) {
    if (name[i] !== bytes[start + i]) return false;
  }
  return true;
}
