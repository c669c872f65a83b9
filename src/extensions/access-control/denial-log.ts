import type { Clock } from '../../base/clock.js';
import { FoldedLines } from '../../base/folded-lines.js';
import type { Logger } from '../../base/log.js';
import { shortKey } from '../../base/short-key.js';
import type { Statistics } from '../../session/statistics.js';
import type { Reason } from './decision-list.js';
import type { ClientFacts } from './who.js';

/** Tells what was denied, and by which rule, without flooding the log; counts everything. */
export class DenialLog {
  readonly #log: Logger;
  readonly #statistics: Statistics;
  readonly #lines: FoldedLines;

  constructor(log: Logger, clock: Clock, statistics: Statistics) {
    this.#log = log;
    this.#lines = new FoldedLines(clock);
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
    const count = this.#lines.count(`${action} ${shortKey(clientIdentifier)}`);
    if (count === 0) return;
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
