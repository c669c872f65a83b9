import type { LogFields, Logger } from '../base/log.js';

const LINES_MAX = 20;
const WINDOW_MS = 10_000;

/**
 * Warnings that strangers cause at will: so many of one kind in ten seconds, then their number
 * alone, so that nobody can fill the log.
 */
export class RefusalLog {
  readonly #log: Logger;
  #lines = 0;
  #suppressed = 0;
  #windowEndMs = 0;

  constructor(log: Logger) {
    this.#log = log;
  }

  warn(fields: LogFields & { readonly event: string }, sentence: string): void {
    const nowMs = performance.now();
    if (nowMs >= this.#windowEndMs) {
      this.#windowEndMs = nowMs + WINDOW_MS;
      this.#lines = 0;
    }
    if (this.#lines >= LINES_MAX) {
      this.#suppressed++;
      return;
    }
    this.#lines++;
    const suppressed = this.#suppressed;
    this.#suppressed = 0;
    if (suppressed === 0) this.#log.warn(fields, sentence);
    else this.#log.warn({ ...fields, suppressed }, `${sentence} (and ${suppressed} more before)`);
  }
}
