import type { SessionPut } from './operation.js';

/** What the store itself must know of a Session: kept in memory for each stored one. */
export class StoredSession {
  readonly number: number;
  /** Whether its record was ever in a batch that is closed. */
  written = false;
  /** Whether anything beneath its number was: subscriptions, queue, exchanges. */
  hasRecords = false;
  /** The put of its record in the open batch; a later one only replaces what it writes. */
  put: SessionPut | undefined = undefined;

  constructor(number: number) {
    this.number = number;
  }
}

export type StoredSessions = Map<number, StoredSession>;
