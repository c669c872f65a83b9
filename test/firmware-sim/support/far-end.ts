import type { Dial, Line, LineEvents } from '../../../firmware-sim/link/line.js';

/** The other side of a line, in the hands of a test. */
export class FarEnd {
  /** Connections so far. */
  dials = 0;
  written: Buffer[] = [];
  ended = false;
  wasReset = false;
  paused = false;
  /** A dial comes through at once. */
  accepts = true;
  #events: LineEvents | undefined;

  readonly dial: Dial = (events) => {
    this.dials++;
    this.#events = events;
    this.ended = false;
    this.wasReset = false;
    if (this.accepts) events.opened();
    const line: Line = {
      localPort: 4711,
      write: (bytes) => this.written.push(bytes),
      end: () => {
        this.ended = true;
      },
      reset: () => {
        this.wasReset = true;
      },
      pause: () => {
        this.paused = true;
      },
      resume: () => {
        this.paused = false;
      },
    };
    return line;
  };

  get text(): string {
    return Buffer.concat(this.written).toString();
  }

  send(bytes: Buffer | string): void {
    this.#events?.data(Buffer.from(bytes));
  }

  close(reset: boolean): void {
    this.#events?.closed(reset);
  }
}
