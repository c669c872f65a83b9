import { type Clock, TimerEntry, type Timers } from '../../base/clock.js';
import type { Logger } from '../../base/log.js';
import type { Connection } from '../../session/connection.js';

import type { Statistics } from '../../session/statistics.js';
import { TRUST_BYTES_MIN } from '../../session/trust.js';
import { SlowLink } from './slow-link.js';

/** What the system tells of one connection. */
export interface KernelQueue {
  /** It holds them because the peer has not received them. */
  readonly queuedBytes: number;
  /** After this long without an answer it sends again: above the round trip, in milliseconds. */
  readonly resendMs: number;
}

/**
 * What the system holds for each of these peers (`Peer.address`); peers that it does not know are
 * left out. Undefined where it cannot be asked.
 */
export type KernelQueues = (
  addresses: ReadonlySet<string>,
) => ReadonlyMap<string, KernelQueue> | undefined;

/** Fewer are on their way, not stuck. */
const PROVEN_BYTES = 32_768;
/** Nothing of what waits was received for this time: it has stopped reading. */
const STILL_MS = 2000;
/** A round trip to a satellite may take longer than that: the system's own patience tells. */
const LONG_LINE_FACTOR = 1.5;
const LONG_LINE_MS_MAX = 6000;
/** Where so much waits, memory is at stake: a few times what the system itself waits for a peer. */
const FULL_BYTES = 524_288;
const RESENDS = 3;
/** On this machine itself nothing is lost and nothing takes time: with so many waiting … */
const LOCAL_FULL_BYTES = 163_840;
const LOCAL_FULL_MS = 60;
/** … and with fewer. */
const LOCAL_HALF_BYTES = 65_536;
const LOCAL_HALF_MS = 120;
/** A client that was seen to keep up may pause so many times longer: it collects its garbage. */
const PROVEN_PATIENCE_FOLD = 8;
const TRUST_BYTES_MAX = 131_072;
/** Whoever is trusted with more has kept up before. */
const UNTRIED_BYTES = 65_536;
const LOOK_MS = 4;
/** Where nothing more comes in the way of memory. */
const CALM_LOOK_MS = 100;
/** Asking the system costs at most this share of the time. */
const COST_SHARE = 50;
/** Of the cost so far, how much is kept with each look: the clock counts whole milliseconds. */
const COST_KEPT = 0.9;
/** Less where it costs more than before: with very many connections the first looks count. */
const COST_KEPT_RISING = 0.5;

/** What a look at the system's queue has shown. */
export type Finding = 'stalled' | 'slow';

interface Doubt {
  readonly link: SlowLink;
  /** When something was last received. */
  movedMs: number;
}

/**
 * Finds clients that have stopped reading before the system has taken megabytes for each: what it
 * holds is looked at where much was written since it was last seen to arrive. Readers who keep up
 * are trusted with more each time, and are looked at more rarely.
 */
export class StalledReaders extends TimerEntry {
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #statistics: Statistics;
  readonly #log: Logger;
  readonly #kernelQueues: KernelQueues | undefined;
  readonly #isWatched: (connection: Connection) => boolean;
  readonly #found: (connection: Connection, what: Finding) => void;
  readonly #doubts = new Map<Connection, Doubt>();
  /** Of those that are slow or have been, while nothing is looked at. */
  readonly #links = new WeakMap<Connection, SlowLink>();
  /** Those whose slow link was told. */
  readonly #told = new WeakSet<Connection>();
  /** Of one look, on average. */
  #costMs = 1;

  constructor(parts: {
    readonly clock: Clock;
    readonly timers: Timers;
    readonly statistics: Statistics;
    readonly log: Logger;
    readonly kernelQueues?: KernelQueues | undefined;
    /** Whether the connection is to be looked at. */
    readonly isWatched: (connection: Connection) => boolean;
    /** It was found so and told, a slow link once a connection. */
    readonly found: (connection: Connection, what: Finding) => void;
  }) {
    super(look);
    this.#clock = parts.clock;
    this.#timers = parts.timers;
    this.#statistics = parts.statistics;
    this.#log = parts.log;
    this.#kernelQueues = parts.kernelQueues;
    this.#isWatched = parts.isWatched;
    this.#found = parts.found;
  }

  doubt(connection: Connection): void {
    if (this.#doubts.has(connection)) return;
    if (this.#kernelQueues === undefined || !this.#isWatched(connection)) {
      connection.outbox.trust.trustBytes = Number.POSITIVE_INFINITY;
    } else {
      const { nowMs } = this.#clock;
      const link =
        this.#links.get(connection) ?? new SlowLink(connection, () => this.doubt(connection));
      link.begin();
      this.#doubts.set(connection, { link, movedMs: nowMs });
      const pauseMs = this.#pauseMs(link.isSlow ? CALM_LOOK_MS : LOOK_MS);
      if (!this.armed || this.dueMs > nowMs + pauseMs) this.#timers.arm(this, pauseMs);
    }
  }

  look(): void {
    const addresses = new Set<string>();
    for (const connection of this.#doubts.keys()) {
      if (connection.isClosed) this.#doubts.delete(connection);
      else addresses.add(connection.network.peer.address);
    }
    if (addresses.size === 0) return;
    const beganMs = this.#clock.wallMs();
    const queues = this.#kernelQueues?.(addresses);
    const costMs = Math.max(0, this.#clock.wallMs() - beganMs);
    const kept = costMs > this.#costMs ? COST_KEPT_RISING : COST_KEPT;
    this.#costMs = kept * this.#costMs + (1 - kept) * costMs;
    let isCalm = true;
    for (const [connection, doubt] of [...this.#doubts]) {
      const queue = queues?.get(connection.network.peer.address);
      if (queue === undefined) {
        connection.outbox.trust.trustBytes = Number.POSITIVE_INFINITY;
        this.#doubts.delete(connection);
        doubt.link.letGo();
      } else this.#judge(connection, doubt, queue);
      const waitsBytes = queue?.queuedBytes ?? 0;
      if (waitsBytes > PROVEN_BYTES && !connection.outbox.isStalled) isCalm = false;
    }
    const leastMs = isCalm ? CALM_LOOK_MS : LOOK_MS;
    if (this.#doubts.size > 0 && !this.armed) this.#timers.arm(this, this.#pauseMs(leastMs));
  }

  /** Nothing gives reason to look again before more was written. */
  #prove(connection: Connection, link: SlowLink, receivedBytes: number): void {
    const { trust, isStalled } = connection.outbox;
    this.#doubts.delete(connection);
    if (link.isInPlace) this.#links.set(connection, link);
    const more = Math.max(2 * trust.trustBytes, receivedBytes);
    const isTried = !isStalled && !link.isSlow;
    trust.trustBytes = isTried ? Math.min(more, TRUST_BYTES_MAX) : TRUST_BYTES_MIN;
  }

  /** Between two looks. */
  #pauseMs(leastMs: number): number {
    return Math.max(leastMs, COST_SHARE * this.#costMs);
  }

  #judge(connection: Connection, doubt: Doubt, queue: KernelQueue): void {
    const { queuedBytes } = queue;
    const { outbox } = connection;
    const { nowMs } = this.#clock;
    const { trust } = outbox;
    // All that was written since the last look, and no longer waits, has arrived.
    if (trust.wasAnswered || trust.unprovenBytes > queuedBytes) doubt.movedMs = nowMs;
    const receivedBytes = trust.unprovenBytes - queuedBytes;
    trust.waits(queuedBytes);
    const isQuick = doubt.link.look(queuedBytes, queue.resendMs, nowMs);
    if (doubt.link.isSlow && !this.#told.has(connection)) this.#tellSlow(connection, doubt.link);
    if (queuedBytes <= PROVEN_BYTES) {
      if (isQuick) this.#prove(connection, doubt.link, receivedBytes);
      outbox.isStalled = false;
      return;
    }
    if (outbox.isStalled) return;
    const stillMs = nowMs - doubt.movedMs;
    const isHere = isLocal(connection.network.peer.host);
    if (stillMs < patienceMs(queue, isHere, outbox.trust.trustBytes > UNTRIED_BYTES)) return;
    outbox.isStalled = true;
    outbox.trust.trustBytes = TRUST_BYTES_MIN;
    this.#statistics.stalls++;
    this.#found(connection, 'stalled');
    const client = connection.clientIdentifier;
    this.#log.info(
      { event: 'stalled', client, address: connection.network.peer.address, bytes: queuedBytes },
      `Client ${client} has stopped reading, ${queuedBytes} bytes wait for it: QoS 0 messages are dropped until it reads again`,
    );
  }

  #tellSlow(connection: Connection, { bytesPerSecond }: SlowLink): void {
    this.#told.add(connection);
    this.#statistics.slowLinks++;
    this.#found(connection, 'slow');
    const client = connection.clientIdentifier;
    this.#log.info(
      { event: 'slow_link', client, address: connection.network.peer.address, bytesPerSecond },
      `The link of client ${client} takes ${bytesPerSecond} bytes a second: what is more waits here, and answers go ahead of it`,
    );
  }
}

function patienceMs(queue: KernelQueue, isHere: boolean, isProven: boolean): number {
  const { queuedBytes, resendMs } = queue;
  const fold = isProven ? PROVEN_PATIENCE_FOLD : 1;
  if (isHere && queuedBytes >= LOCAL_FULL_BYTES) return LOCAL_FULL_MS * fold;
  if (isHere && queuedBytes >= LOCAL_HALF_BYTES) return LOCAL_HALF_MS * fold;
  // A link that was lost for a moment goes on when the system sends again.
  const longLineMs = Math.min(LONG_LINE_MS_MAX, LONG_LINE_FACTOR * resendMs);
  const stillMs = Math.max(STILL_MS, longLineMs);
  return queuedBytes >= FULL_BYTES ? Math.min(stillMs, RESENDS * resendMs) : stillMs;
}

function isLocal(host: string): boolean {
  return host.startsWith('127.') || host.startsWith('::ffff:127.') || host === '::1';
}

function look(entry: TimerEntry): void {
  if (entry instanceof StalledReaders) entry.look();
}
