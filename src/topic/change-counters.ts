import { utf8Bytes } from '../base/utf8.js';
import type { TopicHash } from './topic-hash.js';
import { topicLevels } from './topic-name.js';

/** A power of two. Prefixes that share a counter only cause a needless recomputation. */
const COUNTERS = 4096;
const SLASH = 0x2f;
/** Literal levels of a filter that are told apart: `application/1/device/{id}/#` has four. */
const PREFIX_LEVELS_MAX = 4;

/** The counters of a Topic Name's prefixes of one to four levels; shorter names repeat the last. */
export interface Observer {
  counter1: number;
  counter2: number;
  counter3: number;
  counter4: number;
}

/**
 * How often the filters that could match a Topic Name have changed. Each prefix of up to four
 * levels has one of 4096 counters. A filter with wildcards counts at its literal prefix; a Topic
 * Name asks at each of its own prefixes, and their sum is the same only if none has changed.
 *
 *   filter  a/b/+/c   counts at a/b
 *   name    a/b/x/c   asks at   a  a/b  a/b/x  a/b/x/c
 *   name    a/y       asks at   a  a/y                   and notices nothing
 */
export class ChangeCounters {
  readonly #hash: TopicHash;
  readonly #counters: Uint32Array = new Uint32Array(COUNTERS);

  constructor(hash: TopicHash) {
    this.#hash = hash;
  }

  /** A number that differs after each change that concerns the observer. */
  sumOf(observer: Observer): number {
    const counters = this.#counters;
    return (
      counters[observer.counter1]! +
      counters[observer.counter2]! +
      counters[observer.counter3]! +
      counters[observer.counter4]!
    );
  }

  /** Counts a change of a filter with wildcards. */
  wildcardChanged(topicFilter: string): void {
    const literal: string[] = [];
    for (const level of topicLevels(topicFilter)) {
      if (level === '+' || level === '#' || literal.length === PREFIX_LEVELS_MAX) break;
      literal.push(level);
    }
    if (literal.length > 0) {
      const prefix = utf8Bytes(literal.join('/'));
      this.#counters[this.#counterOf(prefix, prefix.length)]!++;
    } else {
      for (let i = 0; i < this.#counters.length; i++) this.#counters[i]!++;
    }
  }

  /** Makes the changes that concern a Topic Name those that concern the observer. */
  observe(observer: Observer, topicName: Uint8Array): void {
    let end = this.#prefixEnd(topicName, 0);
    observer.counter1 = this.#counterOf(topicName, end);
    end = this.#prefixEnd(topicName, end + 1);
    observer.counter2 = this.#counterOf(topicName, end);
    end = this.#prefixEnd(topicName, end + 1);
    observer.counter3 = this.#counterOf(topicName, end);
    end = this.#prefixEnd(topicName, end + 1);
    observer.counter4 = this.#counterOf(topicName, end);
  }

  #prefixEnd(topicName: Uint8Array, from: number): number {
    const slash = topicName.indexOf(SLASH, from);
    return slash < 0 ? topicName.length : slash;
  }

  #counterOf(bytes: Uint8Array, end: number): number {
    return this.#hash.of(bytes, 0, end) & (COUNTERS - 1);
  }
}
