import { TimerEntry } from '../../base/clock.js';
import type { Connection } from '../../session/connection.js';
import type { NetworkConnectionEvents } from '../../session/network-connection.js';
import type { Rates } from '../../session/rates.js';
import { ReasonCode } from '../../wire/reason-code.js';
import type { Counted, RateLimits, SharedBucket } from './rate-limits.js';

/**
 * Counts what comes on one connection. Where it is too much, the connection is not read until
 * enough time has passed: the client's own socket is what holds it back.
 */
export class ConnectionMeter implements NetworkConnectionEvents {
  readonly #connection: Connection;
  readonly #rates: Rates;
  readonly #limits: RateLimits;
  readonly #timer: TimerEntry;
  #bytes: readonly SharedBucket[] = [];
  #messages: readonly SharedBucket[] = [];
  #holdsUntilMs = 0;

  constructor(connection: Connection, rates: Rates, limits: RateLimits) {
    this.#connection = connection;
    this.#rates = rates;
    this.#limits = limits;
    this.#timer = new TimerEntry(() => connection.resume());
    // What comes before CONNECT is bounded by its size and its time.
    this.#find(['address', 'listener']);
  }

  /** It is known whose connection it is. */
  entered(): void {
    this.#find(['client', 'user', 'address', 'listener']);
  }

  receive(chunk: Uint8Array): void {
    this.#take(this.#bytes, chunk.length, 'bytes');
    this.#connection.receive(chunk);
  }

  message(): void {
    this.#take(this.#messages, 1, 'messages');
  }

  drained(): void {
    this.#connection.drained();
  }

  networkClosed(cause: string): void {
    this.#limits.timers.disarm(this.#timer);
    this.#connection.networkClosed(cause);
  }

  #find(counted: readonly Counted[]): void {
    this.#bytes = this.#limits.bucketsOf(this.#connection, 'bytes', counted);
    this.#messages = this.#limits.bucketsOf(this.#connection, 'messages', counted);
  }

  #take(buckets: readonly SharedBucket[], tokens: number, what: 'bytes' | 'messages'): void {
    const { nowMs } = this.#limits.clock;
    let waitMs = 0;
    let fullest: SharedBucket | undefined;
    for (const shared of buckets) {
      const ms = shared.bucket.take(tokens, nowMs);
      if (ms <= waitMs) continue;
      waitMs = ms;
      fullest = shared;
    }
    if (fullest !== undefined) this.#exceeded(fullest, waitMs, what);
  }

  #exceeded({ counted, name }: SharedBucket, waitMs: number, what: 'bytes' | 'messages'): void {
    const { statistics, log } = this.#limits;
    const isEnd = this.#rates.onExcess === 'disconnect';
    const action = isEnd ? 'disconnected' : 'slowed';
    log.exceeded({ kind: counted, name, what, action });
    if (!isEnd) {
      statistics.rateWaits++;
      this.#hold(waitMs);
      return;
    }
    statistics.rateExceeded++;
    this.#connection.disconnect({
      kind: 'administrative',
      reasonCode: what === 'bytes' ? ReasonCode.QuotaExceeded : ReasonCode.MessageRateTooHigh,
      sentence: `more ${what} a second than rates.${counted}.${what} allows`,
    });
  }

  #hold(waitMs: number): void {
    const { clock, timers } = this.#limits;
    const untilMs = clock.nowMs + waitMs;
    if (this.#timer.armed) {
      if (untilMs <= this.#holdsUntilMs) return;
    } else this.#connection.suspend();
    this.#holdsUntilMs = untilMs;
    timers.arm(this.#timer, waitMs);
  }
}
