import type { Clock } from '../../base/clock.js';
import type { Logger } from '../../base/log.js';
import { shortKey } from '../../base/short-key.js';
import type { Statistics } from '../../session/statistics.js';
import type { Reason } from './decision-list.js';
import type { ClientFacts } from './who.js';

/** One line a client, action and rule in this time; the next one tells how many there were. */
const QUIET_MS = 60_000;
/** Beyond this many at once, what was told is forgotten. */
const TOLD_MAX = 10_000;

/** Tells what was denied, and by which rule, without flooding the log; counts everything. */
export class DenialLog {
  readonly #log: Logger;
  readonly #clock: Clock;
  readonly #statistics: Statistics;
  readonly #told = new Map<string, { quietUntilMs: number; count: number }>();

  constructor(log: Logger, clock: Clock, statistics: Statistics) {
    this.#log = log;
    this.#clock = clock;
    this.#statistics = statistics;
  }

  /** `reason` is asked for only when a line is written. */
  denied(
    facts: ClientFacts,
    action: 'publish' | 'subscribe' | 'unsubscribe',
    topic: string,
    reason: () => Reason,
  ): void {
    this.#statistics.accessDenied++;
    const { clientIdentifier, userName } = facts;
    const key = `${action} ${shortKey(clientIdentifier)}`;
    const { nowMs } = this.#clock;
    const told = this.#told.get(key);
    if (told !== undefined && nowMs < told.quietUntilMs) {
      told.count++;
      return;
    }
    const count = (told?.count ?? 0) + 1;
    if (this.#told.size >= TOLD_MAX) this.#told.clear();
    this.#told.set(key, { quietUntilMs: nowMs + QUIET_MS, count: 0 });
    const { place, text } = reason();
    const who = userName === undefined ? 'anonymous' : `user ${userName}`;
    const more = count === 1 ? '' : `, the last of ${count} denials`;
    const how =
      action === 'publish' ? 'publish to' : `${action} ${action === 'subscribe' ? 'to' : 'from'}`;
    this.#log.warn(
      {
        event: 'access_denied',
        client: clientIdentifier,
        user: userName,
        listener: facts.listener,
        action,
        topic,
        rule: place,
        count,
      },
      `Client ${clientIdentifier} (${who}) may not ${how} ${topic}: ${place}: ${text}${more}`,
    );
  }
}
