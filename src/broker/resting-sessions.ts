import type { Session } from '../session/session.js';
import type { CommitWaiter, SessionStore } from '../session/session-store.js';

/**
 * Sessions whose client has left: once all that was put for them is durable, those with nothing in
 * their queue need no queue in memory.
 */
export class RestingSessions implements CommitWaiter {
  readonly #store: Pick<SessionStore, 'openTicket' | 'afterCommit'>;
  /** Those that have left since, by the ticket of what was put for them last, which only rises. */
  readonly #leaving = new Map<Session, number>();

  constructor(store: Pick<SessionStore, 'openTicket' | 'afterCommit'>) {
    this.#store = store;
  }

  left(session: Session): void {
    if (this.#leaving.size === 0) this.#store.afterCommit(this);
    // Behind those that left before.
    this.#leaving.delete(session);
    this.#leaving.set(session, this.#store.openTicket);
  }

  returned(session: Session): void {
    this.#leaving.delete(session);
  }

  committed(ticket: number): void {
    for (const [session, lastTicket] of this.#leaving) {
      if (lastTicket > ticket) break;
      this.#leaving.delete(session);
      session.rest();
    }
    if (this.#leaving.size > 0) this.#store.afterCommit(this);
  }
}
