import { shortKey } from '../base/short-key.js';
import type { Subscribe } from '../wire/control-packet.js';

/** Libraries that do not wait send a SUBSCRIBE again each second, or each ten. */
const RESENT_MS = 15_000;
const REMEMBERED_MAX = 4;

interface Seen {
  readonly packetIdentifier: number;
  readonly filters: string;
  seenMs: number;
}

/**
 * Tells a SUBSCRIBE that is sent again because its SUBACK is slow from a new one: the same Packet
 * Identifier for the same filters, soon.
 */
export class ResentSubscribes {
  #seen: Seen[] = [];

  isResent({ packetIdentifier, entries }: Subscribe, nowMs: number): boolean {
    const filters = entries.map(({ topicFilter, options }) => `${options.qos} ${topicFilter}`);
    const key = shortKey(filters.join('\n'));
    this.#seen = this.#seen.filter(({ seenMs }) => nowMs - seenMs <= RESENT_MS);
    const known = this.#seen.find(
      (seen) => seen.packetIdentifier === packetIdentifier && seen.filters === key,
    );
    if (known !== undefined) {
      known.seenMs = nowMs;
      return true;
    }
    this.#seen.push({ packetIdentifier, filters: key, seenMs: nowMs });
    if (this.#seen.length > REMEMBERED_MAX) this.#seen.shift();
    return false;
  }
}

/** The same request, but retained messages are not sent a second time for what it has already. */
export function withoutReplay(subscribe: Subscribe): Subscribe {
  const entries = subscribe.entries.map(({ topicFilter, options }) => ({
    topicFilter,
    options: {
      ...options,
      retainHandling: options.retainHandling === 0 ? 1 : options.retainHandling,
    },
  }));
  return { ...subscribe, entries } as Subscribe;
}
