import { shortKey } from '../base/short-key.js';
import type { Subscribe } from '../wire/control-packet.js';
import type { Progress } from './in-flight.js';

/** Libraries that do not wait send a SUBSCRIBE again each second, or each ten. */
const RESENT_MS = 15_000;
const REMEMBERED_MAX = 4;
/** On a line that is quicker, no timer of a client runs out before the answer is there. */
const QUICK_MS = 50;
/** An answer is not waited for longer than so many of the quickest, … */
const ROUND_TRIPS = 2;
/** … and what went before it has left a slow line at a byte a millisecond; this much at once. */
const FLIGHT_BYTES = 1500;

/** What is known of the way to the client and back. */
export interface Way {
  /** The quickest answer on this connection; undefined while there was none. */
  readonly roundTripMs: number | undefined;
  readonly progress: Progress;
}

/** The youngest comes first. */
interface Seen {
  readonly packetIdentifier: number;
  /** Of all Topic Filters and options. */
  readonly asked: string;
  /** Where there is one Topic Filter, its options and the Subscription Identifier. */
  readonly options: number;
  /** Whole milliseconds, which take no object of their own. */
  readonly seenMs: number;
  /** When SUBACK left; -1 before. */
  answeredMs: number;
  /** The last message that was sent before SUBACK, and bytes that were under way. */
  order: number;
  bytesBefore: number;
  older: Seen | undefined;
}

/**
 * Tells a SUBSCRIBE that is sent again because its SUBACK is slow from one that is meant: the same
 * Packet Identifier for the same request, soon, from a client that cannot have had the SUBACK yet
 * or has not shown that it has. Each connection has one, so it takes little memory.
 */
export class ResentSubscribes {
  #seen: Seen | undefined = undefined;

  isResent(subscribe: Subscribe, nowMs: number, way: Way): boolean {
    const { packetIdentifier } = subscribe;
    const seenMs = Math.trunc(nowMs);
    const { asked, options } = keyOf(subscribe);
    this.#forget(seenMs);
    for (let seen = this.#seen; seen !== undefined; seen = seen.older) {
      if (seen.packetIdentifier !== packetIdentifier) continue;
      const isSame = seen.options === options && seen.asked === asked;
      if (isSame && !isAnswered(seen, seenMs, way)) return true;
    }
    this.used(packetIdentifier);
    this.#seen = {
      packetIdentifier,
      asked,
      options,
      seenMs,
      answeredMs: -1,
      order: 0,
      bytesBefore: 0,
      older: this.#seen,
    };
    return false;
  }

  /** SUBACK for this identifier has left, or is about to; a second one says nothing new. */
  answered(packetIdentifier: number, nowMs: number, sentOrder: number, bytesBefore: number): void {
    for (let seen = this.#seen; seen !== undefined; seen = seen.older) {
      if (seen.packetIdentifier !== packetIdentifier || seen.answeredMs >= 0) continue;
      seen.answeredMs = Math.trunc(nowMs);
      seen.order = sentOrder;
      seen.bytesBefore = bytesBefore;
    }
  }

  /** The client uses the identifier for something else: it has had its SUBACK. [MQTT-2.2.1-3] */
  used(packetIdentifier: number): void {
    let younger: Seen | undefined;
    for (let seen = this.#seen; seen !== undefined; seen = seen.older) {
      if (seen.packetIdentifier !== packetIdentifier) younger = seen;
      else if (younger === undefined) this.#seen = seen.older;
      else younger.older = seen.older;
    }
  }

  /** What is too old, and what is too much. */
  #forget(nowMs: number): void {
    let kept = 0;
    let last: Seen | undefined;
    for (let seen = this.#seen; seen !== undefined; seen = seen.older) {
      const sinceMs = Math.max(seen.seenMs, seen.answeredMs);
      const isKept = nowMs - sinceMs <= RESENT_MS && kept < REMEMBERED_MAX;
      if (isKept) {
        kept++;
        last = seen;
      } else if (last === undefined) this.#seen = seen.older;
      else last.older = seen.older;
    }
  }
}

/** Whether the client has had the SUBACK when it sent the packet that has just come. */
function isAnswered(seen: Seen, nowMs: number, way: Way): boolean {
  if (seen.answeredMs < 0) return false;
  if (way.progress.confirmedOrder > seen.order) return true;
  // It was sent messages behind SUBACK, and acknowledges none of them: they are on their way, too.
  if (way.progress.sentOrder > seen.order) return false;
  return nowMs - seen.answeredMs > patienceMs(seen, way);
}

function patienceMs({ bytesBefore }: Seen, { roundTripMs }: Way): number {
  if (roundTripMs === undefined) return RESENT_MS;
  if (roundTripMs < QUICK_MS) return 0;
  const queuedMs = Math.max(0, bytesBefore - FLIGHT_BYTES);
  return Math.min(RESENT_MS, ROUND_TRIPS * roundTripMs + queuedMs);
}

/** A single Topic Filter is that of the Subscription, and no copy. */
function keyOf({ entries, subscriptionIdentifier = 0 }: Subscribe): {
  asked: string;
  options: number;
} {
  const [first] = entries;
  if (entries.length === 1) {
    const options = subscriptionIdentifier * OPTIONS_FOLD + optionsOf(first!.options);
    return { asked: shortKey(first!.topicFilter), options };
  }
  const filters = entries.map(({ topicFilter, options }) => `${optionsOf(options)} ${topicFilter}`);
  return { asked: shortKey(filters.join('\n')), options: subscriptionIdentifier };
}

const OPTIONS_FOLD = 64;

/** As on the wire (5.0, section 3.8.3.1). */
function optionsOf(options: Subscribe['entries'][number]['options']): number {
  const { qos, noLocal, retainAsPublished, retainHandling } = options;
  return qos | (noLocal ? 4 : 0) | (retainAsPublished ? 8 : 0) | (retainHandling << 4);
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
