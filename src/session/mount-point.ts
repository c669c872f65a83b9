import { utf8Bytes } from '../base/utf8.js';
import type { Connect, Subscribe, Unsubscribe } from '../wire/control-packet.js';

const SHARE_PREFIX = '$share/';

/**
 * The branch of the topic tree that the clients of a listener live in: they see it as the whole
 * tree. Everything behind the wire, rules and hooks included, has the full names.
 */
export class MountPoint {
  readonly #text: string;
  readonly #bytes: Uint8Array;

  /** Such as `site1/`: without wildcards, and with a slash at its end. */
  constructor(text: string) {
    this.#text = text;
    this.#bytes = utf8Bytes(text);
  }

  get length(): number {
    return this.#bytes.length;
  }

  /** The full Topic Name of what a client published to. */
  topicName(bytes: Uint8Array, start: number, end: number): Uint8Array {
    const prefix = this.#bytes;
    const full = new Uint8Array(prefix.length + end - start);
    full.set(prefix);
    full.set(bytes.subarray(start, end), prefix.length);
    return full;
  }

  /** Whether a client here can see the topic; it sees it without the prefix. */
  covers(topicName: Uint8Array): boolean {
    const prefix = this.#bytes;
    if (topicName.length <= prefix.length) return false;
    for (let i = 0; i < prefix.length; i++) if (topicName[i] !== prefix[i]) return false;
    return true;
  }

  connect(connect: Connect): Connect {
    const { will } = connect;
    // What is no Topic Name stays none.
    if (will === undefined || will.topicName === '') return connect;
    return { ...connect, will: { ...will, topicName: `${this.#text}${will.topicName}` } };
  }

  subscribe(subscribe: Subscribe): Subscribe {
    const entries = subscribe.entries.map((entry) => ({
      ...entry,
      topicFilter: this.#topicFilter(entry.topicFilter),
    }));
    return { ...subscribe, entries };
  }

  unsubscribe(unsubscribe: Unsubscribe): Unsubscribe {
    const topicFilters = unsubscribe.topicFilters.map((filter) => this.#topicFilter(filter));
    return { ...unsubscribe, topicFilters };
  }

  /** Behind the name of a share, which is no part of the tree. */
  #topicFilter(filter: string): string {
    const nameEnd = filter.startsWith(SHARE_PREFIX) ? filter.indexOf('/', SHARE_PREFIX.length) : -1;
    const at = nameEnd + 1;
    // What is no Topic Filter stays none.
    if (filter.length === at) return filter;
    return `${filter.slice(0, at)}${this.#text}${filter.slice(at)}`;
  }
}
