import { shortKey } from '../base/short-key.js';
import type { Subscribe } from '../wire/control-packet.js';

/** Libraries that do not wait send a SUBSCRIBE again each second, or each ten. */
const RESENT_MS = 15_000;
const REMEMBERED_MAX = 4;

/** The youngest comes first. */
interface Seen {
  readonly packetIdentifier: number;
  readonly qos: number;
  readonly filters: string;
  /** Whole milliseconds, which take no object of their own. */
  seenMs: number;
  older: Seen | undefined;
}

/**
 * Tells a SUBSCRIBE that is sent again because its SUBACK is slow from a new one: the same Packet
 * Identifier for the same filters, soon. Each connection has one, so it takes little memory.
 */
export class ResentSubscribes {
  #seen: Seen | undefined = undefined;

  isResent({ packetIdentifier, entries }: Subscribe, nowMs: number): boolean {
    const seenMs = Math.trunc(nowMs);
    const filters = filtersOf(entries);
    // Where there are several, it stands with each of them.
    const qos = entries.length === 1 ? entries[0]!.options.qos : 0;
    this.#forget(seenMs);
    for (let seen = this.#seen; seen !== undefined; seen = seen.older) {
      const isSame = seen.packetIdentifier === packetIdentifier && seen.qos === qos;
      if (!isSame || seen.filters !== filters) continue;
      seen.seenMs = seenMs;
      return true;
    }
    this.#seen = { packetIdentifier, qos, filters, seenMs, older: this.#seen };
    return false;
  }

  /** What is too old, and what is too much. */
  #forget(nowMs: number): void {
    let kept = 0;
    let last: Seen | undefined;
    for (let seen = this.#seen; seen !== undefined; seen = seen.older) {
      const isKept = nowMs - seen.seenMs <= RESENT_MS && kept < REMEMBERED_MAX;
      if (isKept) {
        kept++;
        last = seen;
      } else if (last === undefined) this.#seen = seen.older;
      else last.older = seen.older;
    }
  }
}

/** A single Topic Filter is that of the Subscription, and no copy. */
function filtersOf(entries: Subscribe['entries']): string {
  if (entries.length === 1) return shortKey(entries[0]!.topicFilter);
  const filters = entries.map(({ topicFilter, options }) => `${options.qos} ${topicFilter}`);
  return shortKey(filters.join('\n'));
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
