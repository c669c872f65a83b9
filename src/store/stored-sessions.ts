import type { SessionPut } from './operation.js';

/** Its record was in a batch that is closed. */
const WRITTEN = 1;
/** So was something beneath its number: a subscription, its queue, an exchange. */
const HAS_RECORDS = 2;

/**
 * What the store itself must know of each stored Session, in one small number: there may be very
 * many that nobody has come back to.
 */
export class StoredSessions {
  readonly #states = new Map<number, number>();
  /** The puts of their records in the open batch; a later one only replaces what it writes. */
  readonly #puts = new Map<number, SessionPut>();

  has(number: number): boolean {
    return this.#states.has(number);
  }

  add(number: number): void {
    this.#states.set(number, 0);
  }

  /** One that was there at the start. */
  recover(number: number): void {
    this.#states.set(number, WRITTEN | HAS_RECORDS);
  }

  delete(number: number): void {
    this.#states.delete(number);
    this.#puts.delete(number);
  }

  openPut(number: number): SessionPut | undefined {
    return this.#puts.get(number);
  }

  putOpened(number: number, put: SessionPut): void {
    this.#puts.set(number, put);
  }

  isWritten(number: number): boolean {
    return ((this.#states.get(number) ?? 0) & WRITTEN) !== 0;
  }

  hasRecords(number: number): boolean {
    return ((this.#states.get(number) ?? 0) & HAS_RECORDS) !== 0;
  }

  /** Its record joins the closing batch. False when the Session is gone. */
  written(number: number): boolean {
    this.#puts.delete(number);
    return this.#mark(number, WRITTEN);
  }

  /** Something beneath its number joins the closing batch. False when the Session is gone. */
  recorded(number: number): boolean {
    return this.#mark(number, HAS_RECORDS);
  }

  #mark(number: number, flag: number): boolean {
    const state = this.#states.get(number);
    if (state === undefined) return false;
    if ((state & flag) === 0) this.#states.set(number, state | flag);
    return true;
  }
}
