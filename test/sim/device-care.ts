import type { LogFields } from '../../src/base/log.js';

/** Something was taken from a client. */
const HARM: readonly string[] = ['quarantined', 'resend_loop'];

/** What the broker did to devices that it took for small ones, as it says itself. */
export class DeviceCareWatch {
  /** Take-overs of these were slowed down, and wills held back. */
  readonly damped: Set<string> = new Set<string>();
  /** These were stepped down, so their messages leave one by one. */
  readonly paced: Set<string> = new Set<string>();
  /** Firmware with a small buffer: its messages may become dead letters. */
  readonly smallDevices: Set<string> = new Set<string>();
  /** Messages of a process that became dead letters. */
  deadLettered = 0;
  readonly #violation: (sentence: string) => void;

  constructor(violation: (sentence: string) => void) {
    this.#violation = violation;
  }

  readonly heard = ({ event, client = '', count }: LogFields, sentence: string): void => {
    if (event === 'identifier_ping_pong') this.damped.add(client);
    if (event === 'stepped_down') this.paced.add(client);
    if (!HARM.includes(event) || (event === 'resend_loop' && count === undefined)) return;
    // Whoever acknowledges what it receives has lost nothing but its link.
    if (!this.smallDevices.has(client)) this.#violation(`a healthy client was harmed: ${sentence}`);
  };
}
