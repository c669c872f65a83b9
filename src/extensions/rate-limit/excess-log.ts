import type { Clock } from '../../base/clock.js';
import { FoldedLines } from '../../base/folded-lines.js';
import type { Logger } from '../../base/log.js';
import { shortKey } from '../../base/short-key.js';

export interface Excess {
  readonly kind: 'client' | 'user' | 'address' | 'listener';
  readonly name: string;
  readonly what: 'connections' | 'messages' | 'bytes';
  readonly action: 'refused' | 'slowed' | 'disconnected';
}

/** Tells who sends more than its rate, without flooding the log. */
export class ExcessLog {
  readonly #log: Logger;
  readonly #lines: FoldedLines;

  constructor(log: Logger, clock: Clock) {
    this.#log = log;
    this.#lines = new FoldedLines(clock);
  }

  exceeded({ kind, name, what, action }: Excess): void {
    const count = this.#lines.count(`${kind} ${what} ${action} ${shortKey(name)}`);
    if (count === 0) return;
    const times = count === 1 ? '' : `, ${count} times by now`;
    this.#log.warn(
      { event: 'rate_exceeded', kind, name, what, action, count },
      `More ${what} a second than rates.${kind}.${what} allows for ${kind} ${name}: ${action}${times}`,
    );
  }
}
