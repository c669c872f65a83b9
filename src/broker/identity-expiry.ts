import { type Clock, TimerEntry, type Timers } from '../base/clock.js';
import type { Logger } from '../base/log.js';
import type { Connection } from '../session/connection.js';
import { ReasonCode } from '../wire/reason-code.js';
import { clientView } from './client-view.js';
import type { Hooks } from './hooks.js';

/** So long before the end it is told, so that a client with an Authentication Method may renew. */
export const EXPIRY_WARNING_MS = 60_000;
/** The wall clock may be set meanwhile: it is read again at least this often. */
const LOOK_MS_MAX = 3_600_000;

class ExpiryTimer extends TimerEntry {
  readonly connection: Connection;
  isWarned = false;

  constructor(connection: Connection, fire: (entry: TimerEntry) => void) {
    super(fire);
    this.connection = connection;
  }
}

/** Ends connections whose Identity has expired. Those without an expiry have no entry here. */
export class IdentityExpiry {
  readonly #timers: Timers;
  readonly #clock: Clock;
  readonly #hooks: Hooks;
  readonly #log: Logger;
  readonly #entries = new Map<Connection, ExpiryTimer>();

  constructor(parts: {
    readonly timers: Timers;
    readonly clock: Clock;
    readonly hooks: Hooks;
    readonly log: Logger;
  }) {
    this.#timers = parts.timers;
    this.#clock = parts.clock;
    this.#hooks = parts.hooks;
    this.#log = parts.log;
  }

  /** The connection was let in, or its Identity was renewed. */
  watch(connection: Connection): void {
    this.forget(connection);
    const expiresAtMs = connection.identity?.expiresAtMs;
    if (expiresAtMs === undefined) return;
    const entry = new ExpiryTimer(connection, this.#due);
    this.#entries.set(connection, entry);
    const leftMs = expiresAtMs - this.#clock.wallMs();
    // One that is short-lived from the beginning needs no warning in its first moment.
    entry.isWarned = leftMs <= EXPIRY_WARNING_MS;
    this.#arm(entry, expiresAtMs);
  }

  forget(connection: Connection): void {
    if (this.#entries.size === 0) return;
    const entry = this.#entries.get(connection);
    if (entry === undefined) return;
    this.#timers.disarm(entry);
    this.#entries.delete(connection);
  }

  #arm(entry: ExpiryTimer, expiresAtMs: number): void {
    const nextMs = entry.isWarned ? expiresAtMs : expiresAtMs - EXPIRY_WARNING_MS;
    const delayMs = Math.max(nextMs - this.#clock.wallMs(), 0);
    this.#timers.arm(entry, Math.min(delayMs, LOOK_MS_MAX));
  }

  readonly #due = (timer: TimerEntry): void => {
    const entry = timer as ExpiryTimer;
    const { connection } = entry;
    const expiresAtMs = connection.identity!.expiresAtMs!;
    const leftMs = expiresAtMs - this.#clock.wallMs();
    if (leftMs <= 0) {
      this.#entries.delete(connection);
      connection.disconnect({
        kind: 'authentication',
        reasonCode: ReasonCode.MaximumConnectTime,
        sentence: 'what it authenticated with has expired: connect anew with a new one',
      });
      return;
    }
    if (leftMs <= EXPIRY_WARNING_MS && !entry.isWarned) {
      entry.isWarned = true;
      this.#warn(connection, expiresAtMs, leftMs);
    }
    this.#arm(entry, expiresAtMs);
  };

  #warn(connection: Connection, expiresAtMs: number, leftMs: number): void {
    const client = clientView(connection);
    const { clientIdentifier, address, listener } = client;
    const seconds = Math.round(leftMs / 1000);
    this.#log.info(
      {
        event: 'identity_expires',
        client: clientIdentifier,
        user: client.userName,
        address,
        listener,
        seconds,
      },
      `What client ${clientIdentifier} authenticated with expires in ${seconds} s`,
    );
    if (!this.#hooks.expiring.empty) this.#hooks.expiring.run({ client, expiresAtMs });
  }
}
