import { createHash } from 'node:crypto';
import { isIPv6 } from 'node:net';
import { BoundedMap } from '../../base/bounded-map.js';
import { type Clock, TimerEntry, type Timers } from '../../base/clock.js';
import type { Logger } from '../../base/log.js';
import type { Guessing } from '../../session/limits.js';
import type { Statistics } from '../../session/statistics.js';

export interface BrakeSettings {
  /** So many wrong attempts of one address or for one user are answered without further delay. */
  readonly freeAttempts: number;
  /** The longest delay of an answer. */
  readonly delaySecondsMax: number;
  /** After so long without a further one, one wrong attempt is forgiven. */
  readonly forgiveSeconds: number;
}

export const defaultBrakeSettings: BrakeSettings = {
  freeAttempts: 3,
  delaySecondsMax: 5,
  forgiveSeconds: 30,
};

/** A wrong attempt, and when it came in. */
export interface Attempt {
  readonly host: string;
  readonly userName: string | undefined;
  readonly listener: string;
  /** What the listener says of its own. */
  readonly guessing?: Guessing | undefined;
  readonly sinceMs: number;
}

/** Answers leave at multiples of this since CONNECT: what was computed until then shows less. */
const STEP_MS = 250;
const ADDRESSES_MAX = 10_000;
const USERS_MAX = 10_000;
const WAITING_MAX = 10_000;
/** Doublings beyond this make no longer delay, and forgiving takes no longer. */
const FAILURES_MAX = 40;
/** A burst that goes on is told of again after so long. */
const LOG_AGAIN_MS = 3_600_000;
const KEY_LENGTH_MAX = 64;

interface Failures {
  count: number;
  lastMs: number;
  /** When the log told of it; undefined before. */
  loggedMs: number | undefined;
  sinceLogged: number;
}

/**
 * Slows down guessing: refusals are answered the later, the more there were from one address or for
 * one user. What is right is answered at once, also beside an attacker behind the same address.
 */
export class GuessBrake {
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #log: Logger;
  readonly #statistics: Statistics;
  readonly #addresses = new BoundedMap<Failures>(ADDRESSES_MAX);
  readonly #users = new BoundedMap<Failures>(USERS_MAX);
  #settings: BrakeSettings;
  #waiting = 0;

  constructor(parts: {
    readonly clock: Clock;
    readonly timers: Timers;
    readonly log: Logger;
    readonly statistics: Statistics;
    readonly settings: BrakeSettings;
  }) {
    this.#clock = parts.clock;
    this.#timers = parts.timers;
    this.#log = parts.log;
    this.#statistics = parts.statistics;
    this.#settings = parts.settings;
  }

  /** From the next attempt on. */
  set settings(settings: BrakeSettings) {
    this.#settings = settings;
  }

  /**
   * Counts a wrong attempt and resolves when its refusal may leave: whether the log tells of it
   * already.
   */
  async hold(attempt: Attempt): Promise<boolean> {
    this.#statistics.credentialsRefused++;
    const network = networkOf(attempt.host);
    const byAddress = this.#count(this.#addresses, network);
    const { userName } = attempt;
    const byUser = userName === undefined ? undefined : this.#count(this.#users, keyOf(userName));
    const { freeAttempts, delaySecondsMax } = this.#settings;
    const { guessing = {} } = attempt;
    const freeHere = guessing.freeAttempts ?? freeAttempts;
    const isRepeated = this.#tell(byAddress, attempt, network, freeHere);
    const failures = Math.max(byAddress.count, byUser?.count ?? 0);
    const secondsMax = guessing.delaySecondsMax ?? delaySecondsMax;
    await this.#wait(delayMs(failures, freeHere, secondsMax), attempt.sinceMs);
    return isRepeated;
  }

  #count(table: BoundedMap<Failures>, key: string): Failures {
    const { nowMs } = this.#clock;
    let failures = table.get(key);
    if (failures === undefined) {
      failures = { count: 0, lastMs: nowMs, loggedMs: undefined, sinceLogged: 0 };
      table.set(key, failures);
    }
    const forgiven = (nowMs - failures.lastMs) / (this.#settings.forgiveSeconds * 1000);
    const left = Math.max(failures.count - forgiven, 0);
    // A burst is over when all of it is forgiven.
    if (left === 0) failures.loggedMs = undefined;
    failures.count = Math.min(left + 1, FAILURES_MAX);
    failures.lastMs = nowMs;
    return failures;
  }

  /** One line when a burst begins, and one an hour while it lasts. */
  #tell(failures: Failures, attempt: Attempt, network: string, freeAttempts: number): boolean {
    const { nowMs } = this.#clock;
    failures.sinceLogged++;
    if (Math.round(failures.count) <= freeAttempts) return false;
    const { loggedMs, sinceLogged } = failures;
    if (loggedMs !== undefined && nowMs - loggedMs < LOG_AGAIN_MS) return true;
    failures.loggedMs = nowMs;
    failures.sinceLogged = 0;
    const { userName, listener } = attempt;
    this.#log.warn(
      {
        event: 'credentials_refused',
        address: network,
        user: userName,
        listener,
        count: sinceLogged,
      },
      `${sinceLogged} wrong credentials from ${network}: further ones are answered late, and not ` +
        'each has a line here',
    );
    return true;
  }

  #wait(delayMs: number, sinceMs: number): Promise<void> | undefined {
    if (this.#waiting >= WAITING_MAX) return undefined;
    if (delayMs > 0) this.#statistics.answersDelayed++;
    const elapsedMs = this.#clock.nowMs - sinceMs + delayMs;
    const stepMs = STEP_MS - (elapsedMs % STEP_MS);
    this.#waiting++;
    return new Promise((resolve) => {
      const entry = new TimerEntry(() => {
        this.#waiting--;
        resolve();
      });
      this.#timers.arm(entry, delayMs + stepMs);
    });
  }
}

function delayMs(failures: number, freeAttempts: number, delaySecondsMax: number): number {
  const excess = Math.round(failures) - freeAttempts;
  if (excess <= 0) return 0;
  return Math.min(STEP_MS * 2 ** (excess - 1), delaySecondsMax * 1000);
}

/** Who has one IPv6 address has its whole /64. */
export function networkOf(host: string): string {
  if (!isIPv6(host)) return host;
  const [head = '', tail] = host.replace(/%.*$/, '').split('::');
  const groups = head === '' ? [] : head.split(':');
  const behind = tail === undefined || tail === '' ? [] : tail.split(':');
  if (tail !== undefined) {
    while (groups.length + behind.length < 8) groups.push('0');
  }
  return `${[...groups, ...behind].slice(0, 4).join(':')}::/64`;
}

/** A User Name may have 64 KiB: the table must not. */
function keyOf(userName: string): string {
  if (userName.length <= KEY_LENGTH_MAX) return userName;
  return `#${createHash('sha256').update(userName).digest('base64')}`;
}
