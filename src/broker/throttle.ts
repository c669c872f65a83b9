import type { Connection } from '../session/connection.js';
import type { CommitWaiter } from '../session/session-store.js';
import type { Store } from './store.js';

/** Publishers are not read while more waits for the disk than the limit allows. */
export class Throttle implements CommitWaiter {
  readonly #store: Store;
  readonly #pendingBytesMax: number;
  readonly #suspended = new Set<Connection>();

  constructor(store: Store, pendingBytesMax: number) {
    this.#store = store;
    this.#pendingBytesMax = pendingBytesMax;
  }

  /** To be called behind each message that was put to the store. */
  check(connection: Connection): void {
    if (this.#store.pendingBytes <= this.#pendingBytesMax) return;
    if (this.#suspended.has(connection)) return;
    if (this.#suspended.size === 0) this.#store.afterCommit(this);
    this.#suspended.add(connection);
    connection.suspend();
  }

  committed(): void {
    if (this.#store.pendingBytes > this.#pendingBytesMax) {
      this.#store.afterCommit(this);
      return;
    }
    const connections = [...this.#suspended];
    this.#suspended.clear();
    for (const connection of connections) connection.resume();
  }
}
