import { type Clock, TimerEntry, type Timers } from '../../base/clock.js';
import type { Logger } from '../../base/log.js';
import type { Connection } from '../../session/connection.js';
import { TRUST_BYTES_MIN } from '../../session/outbox.js';
import type { Statistics } from '../../session/statistics.js';

/**
 * Bytes that the system holds for each of these peers (`Peer.address`) because they have not
 * received them; peers that it does not know are left out. Undefined where it cannot be asked.
 */
export type KernelQueues = (
  addresses: ReadonlySet<string>,
) => ReadonlyMap<string, number> | undefined;

/** Fewer are on their way, not stuck. */
const PROVEN_BYTES = 32_768;
/** With so many waiting and none received for this time, it has stopped reading. */
const FULL_BYTES = 163_840;
const FULL_MS = 60;
/** Fewer are given this time … */
const HALF_BYTES = 65_536;
const HALF_MS = 120;
/** … and few this one. */
const SLOW_MS = 1000;
/** A client that was seen to keep up may pause so many times longer: it collects its garbage. */
const PROVEN_PATIENCE_FOLD = 8;
const TRUST_BYTES_MAX = 131_072;
const LOOK_MS = 4;
const STALLED_LOOK_MS = 100;
/** Asking the system costs at most this share of the time. */
const COST_SHARE = 50;
/** Of the cost so far, how much is kept with each look: the clock counts whole milliseconds. */
const COST_KEPT = 0.9;

interface Doubt {
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
  readonly #doubts = new Map<Connection, Doubt>();
  #pauseMs = LOOK_MS;
  /** Of one look, on average. */
  #costMs = 1;

  constructor(parts: {
    readonly clock: Clock;
    readonly timers: Timers;
    readonly statistics: Statistics;
    readonly log: Logger;
    readonly kernelQueues?: KernelQueues | undefined;
  }) {
    super(look);
    this.#clock = parts.clock;
    this.#timers = parts.timers;
    this.#statistics = parts.statistics;
    this.#log = parts.log;
    this.#kernelQueues = parts.kernelQueues;
  }

  doubt(connection: Connection): void {
    if (this.#kernelQueues === undefined) connection.outbox.trustBytes = Number.POSITIVE_INFINITY;
    else if (!this.#doubts.has(connection)) {
      const { nowMs } = this.#clock;
      this.#doubts.set(connection, { movedMs: nowMs });
      if (!this.armed) this.#timers.arm(this, Math.max(LOOK_MS, this.#pauseMs));
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
    this.#costMs = COST_KEPT * this.#costMs + (1 - COST_KEPT) * costMs;
    let allStalled = true;
    for (const [connection, doubt] of [...this.#doubts]) {
      const queuedBytes = queues?.get(connection.network.peer.address);
      if (queuedBytes === undefined) {
        connection.outbox.trustBytes = Number.POSITIVE_INFINITY;
        this.#doubts.delete(connection);
      } else this.#judge(connection, doubt, queuedBytes);
      if (!connection.outbox.isStalled) allStalled = false;
    }
    const leastMs = allStalled ? STALLED_LOOK_MS : LOOK_MS;
    this.#pauseMs = Math.max(leastMs, COST_SHARE * this.#costMs);
    if (this.#doubts.size > 0 && !this.armed) this.#timers.arm(this, this.#pauseMs);
  }

  #judge(connection: Connection, doubt: Doubt, queuedBytes: number): void {
    const { outbox } = connection;
    const { nowMs } = this.#clock;
    // All that was written since the last look, and no longer waits, has arrived.
    if (outbox.wasAnswered || outbox.unprovenBytes > queuedBytes) doubt.movedMs = nowMs;
    outbox.unprovenBytes = queuedBytes;
    outbox.wasAnswered = false;
    if (queuedBytes <= PROVEN_BYTES) {
      this.#doubts.delete(connection);
      outbox.trustBytes = outbox.isStalled
        ? TRUST_BYTES_MIN
        : Math.min(2 * outbox.trustBytes, TRUST_BYTES_MAX);
      outbox.isStalled = false;
      return;
    }
    if (outbox.isStalled) return;
    const stillMs = nowMs - doubt.movedMs;
    if (stillMs < patienceMs(queuedBytes, outbox.trustBytes > TRUST_BYTES_MIN)) return;
    outbox.isStalled = true;
    outbox.trustBytes = TRUST_BYTES_MIN;
    this.#statistics.stalls++;
    const client = connection.clientIdentifier;
    this.#log.info(
      { event: 'stalled', client, address: connection.network.peer.address, bytes: queuedBytes },
      `Client ${client} has stopped reading, ${queuedBytes} bytes wait for it: QoS 0 messages are dropped until it reads again`,
    );
  }
}

function patienceMs(queuedBytes: number, isProven: boolean): number {
  const fold = isProven ? PROVEN_PATIENCE_FOLD : 1;
  if (queuedBytes >= FULL_BYTES) return FULL_MS * fold;
  return queuedBytes >= HALF_BYTES ? HALF_MS * fold : SLOW_MS;
}

function look(entry: TimerEntry): void {
  if (entry instanceof StalledReaders) entry.look();
}
