import type { Random } from '../base/random.js';
import { utf8Bytes, utf8Text } from '../base/utf8.js';
import { ChangeCounters } from './change-counters.js';
import { hasWildcards } from './topic-filter.js';
import { TopicHash } from './topic-hash.js';
import { isTopicName, isTopicNameBytes, type TopicLimits } from './topic-name.js';
import { isSame, TopicEntry, TopicTable } from './topic-table.js';

export interface RouteCacheOptions<R> extends TopicLimits {
  readonly entriesMax: number;
  /** Memory of the entries and of what `compute` returned for them. */
  readonly bytesMax: number;
  /** Memory of what `compute` returned. */
  readonly bytesOf: (route: R) => number;
  /** Makes the hash secret. */
  readonly random: Random;
  /** Who gets a Topic Name's messages. Runs when the answer is asked for and none is valid. */
  readonly compute: (topicName: string) => R;
}

/**
 * Topic Names by their bytes, each with the last answer to who gets its messages, so that a PUBLISH
 * to a known name makes no string, checks no character and walks no tree.
 *
 * An answer is computed anew after a change of a filter that could match its name: the very name,
 * or a filter with wildcards with the same literal levels in front (`ChangeCounters`).
 */
export class RouteCache<R> {
  readonly #limits: TopicLimits;
  readonly #compute: (topicName: string) => R;
  readonly #bytesOf: (route: R) => number;
  readonly #hash: TopicHash;
  readonly #counters: ChangeCounters;
  readonly #table: TopicTable<R>;

  constructor(options: RouteCacheOptions<R>) {
    this.#limits = options;
    this.#compute = options.compute;
    this.#bytesOf = options.bytesOf;
    this.#hash = new TopicHash(options.random);
    this.#counters = new ChangeCounters(this.#hash);
    this.#table = new TopicTable(options.entriesMax, options.bytesMax, this.#counters);
  }

  /** Entries held now. */
  get size(): number {
    return this.#table.size;
  }

  /** Memory counted against `bytesMax`. */
  get bytes(): number {
    return this.#table.bytes;
  }

  /**
   * The entry of a Topic Name, undefined when the bytes are none: not UTF-8, wildcards, U+0000,
   * beyond the limits. An entry may be kept as long as one likes. `likely` is one that this cache
   * gave; it is looked at first.
   */
  lookup(
    bytes: Uint8Array,
    start: number,
    end: number,
    likely?: Pick<TopicEntry<R>, 'bytes'>,
  ): TopicEntry<R> | undefined {
    const entry = likely as TopicEntry<R> | undefined;
    if (entry?.isKnown === true && isSame(entry.bytes, bytes, start, end)) {
      if (!entry.used) entry.used = true;
      return entry;
    }
    const hash = this.#hash.of(bytes, start, end);
    const known = this.#table.find(hash, bytes, start, end);
    if (known !== undefined) {
      if (!known.used) known.used = true;
      return known;
    }
    if (!isTopicNameBytes(bytes, start, end, this.#limits)) return undefined;
    const copy = new Uint8Array(end - start);
    copy.set(bytes.subarray(start, end));
    return this.#intern(hash, copy, utf8Text(copy, 0, copy.length));
  }

  /** The same for a name that comes as text. */
  lookupText(topicName: string): TopicEntry<R> | undefined {
    if (!isTopicName(topicName, this.#limits)) return undefined;
    const bytes = utf8Bytes(topicName);
    const hash = this.#hash.of(bytes, 0, bytes.length);
    return this.#table.find(hash, bytes, 0, bytes.length) ?? this.#intern(hash, bytes, topicName);
  }

  /** The answer for this name, valid until the next change. */
  route(entry: TopicEntry<R>): R {
    const sum = this.#counters.sumOf(entry);
    if (entry.sum === sum) return entry.route as R;
    const route = this.#compute(entry.name);
    this.#table.keepRoute(entry, route, sum, this.#bytesOf(route));
    return route;
  }

  /**
   * To be called after each change of what this filter matches for; without `$share/{ShareName}/`.
   */
  filterChanged(topicFilter: string): void {
    if (hasWildcards(topicFilter)) {
      this.#counters.wildcardChanged(topicFilter);
      this.#table.sweep();
      return;
    }
    const bytes = utf8Bytes(topicFilter);
    const hash = this.#hash.of(bytes, 0, bytes.length);
    const entry = this.#table.find(hash, bytes, 0, bytes.length);
    if (entry !== undefined) this.#table.makeStale(entry);
  }

  #intern(hash: number, bytes: Uint8Array, name: string): TopicEntry<R> {
    const entry = new TopicEntry<R>(bytes, name, hash);
    this.#table.add(entry);
    return entry;
  }
}
