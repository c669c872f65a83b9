import type { EndOfTick, TickTask } from '../base/clock.js';
import type { CommitWaiter, StoreFailure } from '../session/session-store.js';
import type { Batch, Engine } from './engine.js';

/** One change of the open batch. It is encoded only when the batch is written. */
export abstract class Operation {
  /** The batch it belongs to; 0 while it was never put. */
  ticket = 0;
  cancelled = false;
  /** What it counts in `pendingBytes`. */
  pendingBytes = 0;
}

export interface GroupCommitParts<Change extends Operation> {
  readonly engine: Engine;
  readonly endOfTick: EndOfTick;
  /** Turns the changes that were not cancelled into one batch. Called when the batch is closed. */
  encode(operations: readonly Change[]): Batch;
  /** Called once; afterwards nothing is ever committed. */
  onFailure(failure: StoreFailure): void;
}

/**
 * One batch in flight, the next one filling. The disk's own latency sets the size of a batch, so
 * there is no timer.
 *
 *   put ─▶ open batch (openTicket) ─end of tick, none in flight─▶ engine.write ─▶ committed(ticket)
 */
export class GroupCommit<Change extends Operation> implements TickTask {
  readonly #parts: GroupCommitParts<Change>;
  readonly #written: (failure?: StoreFailure) => void;
  #operations: Change[] = [];
  #liveOperations = 0;
  #openBytes = 0;
  #bytesInFlight = 0;
  #ticketInFlight = 0;
  #waiters: CommitWaiter[] = [];
  #scheduled = false;
  /** Inside the loop of `endOfTick`, which sees for itself whether another batch is wanted. */
  #begins = false;
  #openTicket = 1;
  #committedTicket = 0;
  #failure: StoreFailure | undefined = undefined;

  constructor(parts: GroupCommitParts<Change>) {
    this.#parts = parts;
    this.#written = (failure) => this.#finish(failure);
  }

  get openTicket(): number {
    return this.#openTicket;
  }

  get committedTicket(): number {
    return this.#committedTicket;
  }

  /** The least ticket with which everything put so far is committed. */
  get lastTicket(): number {
    return this.#liveOperations > 0 ? this.#openTicket : this.#openTicket - 1;
  }

  get pendingBytes(): number {
    return this.#openBytes + this.#bytesInFlight;
  }

  get failure(): StoreFailure | undefined {
    return this.#failure;
  }

  put(operation: Change, pendingBytes: number): void {
    if (this.#failure !== undefined) return;
    operation.ticket = this.#openTicket;
    operation.pendingBytes = pendingBytes;
    this.#openBytes += pendingBytes;
    this.#liveOperations++;
    this.#operations.push(operation);
    if (!this.#scheduled) this.#schedule();
  }

  /** Whether it can still be changed or cancelled: put, not cancelled, and its batch not closed. */
  isOpen(operation: Operation): boolean {
    return operation.ticket === this.#openTicket && !operation.cancelled;
  }

  /** Takes an open operation back: it will never reach the engine. */
  cancel(operation: Operation): void {
    operation.cancelled = true;
    this.#openBytes -= operation.pendingBytes;
    this.#liveOperations--;
  }

  /**
   * Calls the waiter at the next commit, in order of registration; the open batch is written for
   * it.
   */
  afterCommit(waiter: CommitWaiter): void {
    this.#waiters.push(waiter);
    if (!this.#scheduled) this.#schedule();
  }

  /** Latches a failure that did not come from a write. */
  fail(failure: StoreFailure): void {
    if (this.#failure !== undefined) return;
    this.#failure = failure;
    this.#operations = [];
    this.#waiters = [];
    this.#parts.onFailure(failure);
  }

  /** An engine that is done inside `write` lets the next batch follow in the same tick. */
  endOfTick(): void {
    this.#scheduled = false;
    this.#begins = true;
    while (this.#isWanted() && this.#ticketInFlight === 0 && this.#failure === undefined) {
      this.#begin();
    }
    this.#begins = false;
  }

  #isWanted(): boolean {
    return this.#operations.length > 0 || this.#waiters.length > 0;
  }

  #schedule(): void {
    // While a batch is in flight its completion schedules the next one.
    if (this.#ticketInFlight !== 0 || this.#begins || this.#failure !== undefined) return;
    this.#scheduled = true;
    this.#parts.endOfTick.commit(this);
  }

  #begin(): void {
    const operations = this.#operations;
    this.#operations = [];
    this.#ticketInFlight = this.#openTicket++;
    this.#bytesInFlight = this.#openBytes;
    this.#openBytes = 0;
    const isEmpty = this.#liveOperations === 0;
    this.#liveOperations = 0;
    const batch = isEmpty ? undefined : this.#parts.encode(operations);
    if (batch === undefined || batch.length === 0) this.#finish(undefined);
    else this.#parts.engine.write(batch, this.#written);
  }

  #finish(failure: StoreFailure | undefined): void {
    if (this.#failure !== undefined) return;
    if (failure !== undefined) {
      this.fail(failure);
      return;
    }
    const ticket = this.#ticketInFlight;
    this.#committedTicket = ticket;
    this.#ticketInFlight = 0;
    this.#bytesInFlight = 0;
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) waiter.committed(ticket);
    // Everything that this turn still puts joins the next batch, so it begins at the end of the
    // tick.
    if (this.#isWanted() && !this.#scheduled) this.#schedule();
  }
}
