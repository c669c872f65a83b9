import { Fifo } from '../base/fifo.js';

/**
 * What one connection may cost before others get a turn: half a millisecond, or 256 KiB of what
 * takes less. The system would read two mebibytes of one stream before it looks at the next: who
 * sends as fast as it can would hold up all others for long.
 */
export const READ_COST_MAX = 512;
const BYTES_SHIFT = 9;
/** Shorter reads are not timed. */
export const TIMED_BYTES_MIN = 4096;

/** Of one read, in microseconds; a byte costs something in any case. */
export function readCost(bytes: number, tookMs: number): number {
  return (bytes >>> BYTES_SHIFT) + Math.round(tookMs * 1000);
}

/** Who waits is read on again when it is its turn. */
export interface TurnReader {
  readOn(): void;
}

const READERS_MAX = 64;

/**
 * Connections that have sent much, in the order of their turns. In one turn of the event loop one
 * of them is read again, whatever their number, and every connection that sends little. Where
 * nobody who was let go on comes back for another turn, ever more are let go on at once.
 */
export class ReadTurns {
  readonly #waiting = new Fifo<TurnReader>();
  #readers = 1;
  #hasCome = false;
  #isScheduled = false;

  get waiting(): number {
    return this.#waiting.length;
  }

  wait(reader: TurnReader): void {
    this.#waiting.push(reader);
    this.#hasCome = true;
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(this.#turn);
  }

  readonly #turn = (): void => {
    this.#isScheduled = false;
    this.#readers = this.#hasCome ? 1 : Math.min(2 * this.#readers, READERS_MAX);
    this.#hasCome = false;
    for (let i = 0; i < this.#readers; i++) {
      const reader = this.#waiting.shift();
      if (reader === undefined) return;
      reader.readOn();
    }
    if (this.#waiting.length > 0) this.#schedule();
  };
}

/** Of all connections of the process, since one event loop reads them. */
export const readTurns: ReadTurns = new ReadTurns();
