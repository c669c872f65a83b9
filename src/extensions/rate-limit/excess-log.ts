import type { Clock } from '../../base/clock.js';
import type { Logger } from '../../base/log.js';
import { shortKey } from '../../base/short-key.js';

/** One line for each who exceeds what in this time; the next one tells how often it was. */
const QUIET_MS = 60_000;
/** Beyond this many at once, what was told is forgotten. */
const TOLD_MAX = 10_000;

export interface Excess {
  readonly kind: 'client' | 'user' | 'address' | 'listener';
  readonly name: string;
  readonly what: 'connections' | 'messages' | 'bytes';
  readonly action: 'refused' | 'slowed' | 'disconnected';
}

/** Tells who sends more than its rate, without flooding the log. */
export class ExcessLog {
  readonly #log: Logger;
  readonly #clock: Clock;
  readonly #told = new Map<string, { quietUntilMs: number; count: number }>();

  constructor(log: Logger, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
  }

  exceeded({ kind, name, what, action }: Excess): void {
    const key = `${kind} ${what} ${action} ${shortKey(name)}`;
    const { nowMs } = this.#clock;
    const told = this.#told.get(key);
    if (told !== undefined && nowMs < told.quietUntilMs) {
      told.count++;
      return;
    }
    const count = (told?.count ?? 0) + 1;
    if (this.#told.size >= TOLD_MAX) this.#told.clear();
    this.#told.set(key, { quietUntilMs: nowMs + QUIET_MS, count: 0 });
    const times = count === 1 ? '' : `, ${count} times by now`;
    this.#log.warn(
      { event: 'rate_exceeded', kind, name, what, action, count },
      `More ${what} a second than rates.${kind}.${what} allows for ${kind} ${name}: ${action}${times}`,
    );
  }
}
