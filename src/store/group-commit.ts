import { type EndOfTick, type TickTask, TimerEntry } from '../base/clock.js';
import type { CommitWaiter, StoreFailure } from '../session/session-store.js';
import type { Batch, Engine } from './engine.js';
import { type Grace, Patience } from './patience.js';

/** How long changes that nobody waits for are put off, for more of them. */
const LATER_MS = 100;
/** So many that last are worth a batch, if those that may be taken back are few beside them. */
const LATER_WORTH = 4096;
const LATER_WORTH_FOLD = 8;
/** Changes that were taken back are kept among the others up to here. */
const CANCELLED_MAX = 1024;

/**
 * How soon a change must be written. `now`: at the end of the turn, if no batch is in flight.
 * `soon`: somebody waits for it, but it is likely to be discharged first. `later`: nobody waits.
 * `perhaps`: nobody waits, and it is likely to be taken back first.
 */
export type Urgency = 'now' | 'soon' | 'later' | 'perhaps';

/** One change of the batch to come. It is encoded only when the batch is written. */
export abstract class Operation {
  // Declared, and set in the constructor: fields of a class with many heirs are slow.
  /** The turn it was put in; 0 while it was never put. */
  declare ticket: number;
  declare cancelled: boolean;
  /** Nobody waits for it. */
  declare isLater: boolean;
  /** Put with the urgency `later`. */
  declare isLasting: boolean;
  /** What it counts in `pendingBytes`. */
  declare pendingBytes: number;

  constructor() {
    this.ticket = 0;
    this.cancelled = false;
    this.isLater = false;
    this.isLasting = false;
    this.pendingBytes = 0;
  }
}

export interface GroupCommitParts<Change extends Operation> {
  readonly engine: Engine;
  readonly endOfTick: EndOfTick;
  /** Without it everything is written at the end of its turn, if no batch is in flight. */
  readonly grace?: Grace | undefined;
  /**
   * Turns the changes that were not cancelled into one batch. Called when the batch begins; those
   * that are `left` came later and stay for another one.
   */
  encode(operations: readonly Change[], left: readonly Change[]): Batch;
  /** Called once; afterwards nothing is ever committed. */
  onFailure(failure: StoreFailure): void;
}

/**
 * One batch in flight, the next one filling. The disk's own latency sets the size of a batch, so
 * there is no timer. A ticket stands for the changes of one turn; a batch takes all turns so far,
 * or those that have waited for half of the grace where nothing is wanted `now`.
 *
 *   put ─▶ open turn (openTicket) ─end of turn─▶ closed ─due, none in flight─▶ engine.write ─▶ done
 *                                                   └─ all of its promises discharged ────────▲
 */
export class GroupCommit<Change extends Operation> implements TickTask {
  readonly #parts: GroupCommitParts<Change>;
  readonly #patience: Patience | undefined;
  readonly #written: (failure?: StoreFailure) => void;
  #operations: Change[] = [];
  #liveOperations = 0;
  #openBytes = 0;
  #bytesInFlight = 0;
  #ticketInFlight = 0;
  #waiters: CommitWaiter[] = [];
  #scheduled = false;
  /** Inside the loop of `endOfTick`, which sees for itself whether more is to be done. */
  #isEnding = false;
  /** Changes with this ticket or a lesser one are on their way to the engine, or there. */
  #begunTicket = 0;
  /** Tickets up to here are begun or settled. */
  #settledTicket = 0;
  /** By ticket, behind the settled ones: what somebody waits for; the last is the open turn. */
  #promised: number[] = [0];
  /** When those were closed. */
  #closedAtMs: number[] = [];
  #isUrgent = false;
  /** Live changes that nobody waits for, and since when there are any. */
  #laterOperations = 0;
  #laterSinceMs = 0;
  /** Those of them that are not likely to be taken back. */
  #lastingOperations = 0;
  readonly #timer: TimerEntry;
  #wakesAtMs = 0;
  /** Changes that had been put when the open turn began. */
  #closedOperations = 0;
  #committedTicket = 0;
  #failure: StoreFailure | undefined = undefined;

  constructor(parts: GroupCommitParts<Change>) {
    this.#parts = parts;
    this.#patience = parts.grace === undefined ? undefined : new Patience(parts.grace);
    this.#timer = new TimerEntry(() => {
      if (!this.#scheduled) this.#schedule();
    });
    this.#written = (failure) => {
      if (failure === undefined) this.#finish(this.#ticketInFlight);
      else this.fail(failure);
    };
  }

  get openTicket(): number {
    return this.#settledTicket + this.#promised.length;
  }

  get committedTicket(): number {
    return this.#committedTicket;
  }

  /** Tells one batch to come from the next. */
  get begunTicket(): number {
    return this.#begunTicket;
  }

  get pendingBytes(): number {
    return this.#openBytes + this.#bytesInFlight;
  }

  get failure(): StoreFailure | undefined {
    return this.#failure;
  }

  /** Somebody waits for a client that takes this long to acknowledge: `soon`, or `now`. */
  urgencyFor(acknowledgeMs: number): Urgency {
    return this.#patience?.waitsFor(acknowledgeMs, this.#nowMs()) === true ? 'soon' : 'now';
  }

  put(operation: Change, pendingBytes: number, urgency: Urgency = 'now'): void {
    if (this.#failure !== undefined) return;
    operation.ticket = this.openTicket;
    operation.pendingBytes = pendingBytes;
    this.#openBytes += pendingBytes;
    if (urgency === 'later' || urgency === 'perhaps') this.#putLater(operation, urgency);
    else {
      this.#promised[this.#promised.length - 1]!++;
      if (urgency === 'now') this.#isUrgent = true;
    }
    this.#liveOperations++;
    this.#operations.push(operation);
    if (!this.#scheduled) this.#schedule();
  }

  /** Whether it can still be changed or cancelled: put, not cancelled, and its batch not begun. */
  isOpen(operation: Operation): boolean {
    return operation.ticket > this.#begunTicket && !operation.cancelled;
  }

  /** Takes an open operation back: it will never reach the engine, but those behind it must. */
  cancel(operation: Operation): void {
    operation.cancelled = true;
    this.#openBytes -= operation.pendingBytes;
    this.#liveOperations--;
    if (operation.isLater) this.#laterOperations--;
    if (operation.isLasting) this.#lastingOperations--;
  }

  /** Takes back an open operation that was put `soon` or `now`, and nobody needs it any more. */
  discharge(operation: Operation): void {
    this.cancel(operation);
    const at = operation.ticket - this.#settledTicket - 1;
    if (--this.#promised[at]! === 0 && at === 0 && !this.#scheduled) this.#schedule();
  }

  /** Has all that was put so far written, and returns the ticket with which it is. */
  flush(): number {
    if (this.#liveOperations === 0) return this.#begunTicket;
    this.#isUrgent = true;
    if (!this.#scheduled) this.#schedule();
    return this.openTicket;
  }

  /**
   * Calls the waiter at the next commit, in order of registration; the turn that is open is
   * committed for it even if it is empty.
   */
  afterCommit(waiter: CommitWaiter): void {
    this.#waiters.push(waiter);
    if (!this.#scheduled) this.#schedule();
  }

  /** Latches a failure, of a write or another. */
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
    this.#isEnding = true;
    do this.#close();
    while (this.#advance());
    this.#isEnding = false;
    if (this.#ticketInFlight === 0) this.#arm();
  }

  #schedule(): void {
    if (this.#isEnding || this.#failure !== undefined) return;
    this.#scheduled = true;
    this.#parts.endOfTick.commit(this);
  }

  /** Ends the turn that is open, if there is anything in it or somebody waits for its end. */
  #close(): void {
    if (this.#operations.length === this.#closedOperations) {
      const isAwaited = this.#waiters.length > 0 || this.#isUrgent;
      if (!isAwaited || this.#closedAtMs.length > 0 || this.#ticketInFlight !== 0) return;
    }
    const nowMs = this.#nowMs();
    this.#patience?.count(this.#promised.at(-1)!, nowMs);
    this.#promised.push(0);
    this.#closedAtMs.push(nowMs);
    if (this.#operations.length > 2 * this.#liveOperations + CANCELLED_MAX) {
      this.#operations = this.#operations.filter(({ cancelled }) => !cancelled);
    }
    this.#closedOperations = this.#operations.length;
  }

  /** One step on; false when there is none now. */
  #advance(): boolean {
    if (this.#ticketInFlight !== 0 || this.#failure !== undefined) return false;
    const turns = this.#dueTurns();
    if (turns < 0) return this.#settle();
    this.#begin(turns);
    return true;
  }

  /** How many turns are to be written, -1 for not even what was settled before them. */
  #dueTurns(): number {
    const all = this.#closedAtMs.length;
    if (this.#isUrgent) return all;
    if (this.#laterOperations === 0 && this.#promised[0] === 0) return -1;
    const lasting = this.#lastingOperations;
    const others = this.#liveOperations - lasting;
    if (lasting >= LATER_WORTH && lasting >= LATER_WORTH_FOLD * others) return all;
    const patience = this.#patience;
    if (patience === undefined) return all;
    const nowMs = this.#nowMs();
    const graceMs = patience.graceMs(nowMs);
    if (this.#dueMs(graceMs) > nowMs) return -1;
    // What came just now is still likely to be taken back, and what is old is enough for a batch.
    let turns = 0;
    const closedByMs = nowMs - Math.min(graceMs, LATER_MS) / 2;
    while (turns < all && this.#closedAtMs[turns]! <= closedByMs) turns++;
    return turns;
  }

  /** When what has been put so far must be written, if nothing else has it written before. */
  #dueMs(graceMs: number): number {
    let dueMs = Number.POSITIVE_INFINITY;
    if (this.#promised[0]! > 0) dueMs = this.#closedAtMs[0]! + graceMs;
    if (this.#laterOperations > 0) dueMs = Math.min(dueMs, this.#laterSinceMs + LATER_MS);
    return dueMs;
  }

  /** For what is not due yet. */
  #arm(): void {
    const { grace } = this.#parts;
    if (grace === undefined) return;
    const nowMs = this.#nowMs();
    const dueMs = this.#dueMs(this.#patience!.graceMs(nowMs));
    if (dueMs === Number.POSITIVE_INFINITY) return;
    if (this.#timer.armed && this.#wakesAtMs <= dueMs) return;
    this.#wakesAtMs = dueMs;
    grace.timers.arm(this.#timer, dueMs - nowMs);
  }

  #nowMs(): number {
    return this.#parts.grace?.clock.nowMs ?? 0;
  }

  #putLater(operation: Operation, urgency: Urgency): void {
    operation.isLater = true;
    if (urgency === 'later') {
      operation.isLasting = true;
      this.#lastingOperations++;
    }
    if (this.#laterOperations++ === 0) this.#laterSinceMs = this.#nowMs();
  }

  /** Turns of which nothing is promised any more count as committed. */
  #settle(): boolean {
    let settled = 0;
    while (settled < this.#closedAtMs.length && this.#promised[settled] === 0) settled++;
    if (settled === 0) return false;
    this.#promised.splice(0, settled);
    this.#closedAtMs.splice(0, settled);
    this.#settledTicket += settled;
    this.#finish(this.#settledTicket);
    return true;
  }

  /** Writes the oldest turns, with what is left of those that were settled. */
  #begin(turns: number): void {
    const ticket = this.#settledTicket + turns;
    const isAll = turns === this.#closedAtMs.length;
    this.#settledTicket = ticket;
    this.#promised.splice(0, turns);
    this.#closedAtMs.splice(0, turns);
    const operations = isAll ? this.#takeAll() : this.#takeUpTo(ticket);
    this.#begunTicket = ticket;
    this.#ticketInFlight = ticket;
    const { engine } = this.#parts;
    const batch = operations && this.#parts.encode(operations, this.#operations);
    if (batch === undefined || batch.length === 0) this.#finish(ticket);
    else engine.write(batch, this.#written);
  }

  /** Undefined when all of them were taken back. */
  #takeAll(): Change[] | undefined {
    const operations = this.#operations;
    this.#operations = [];
    this.#closedOperations = 0;
    this.#bytesInFlight = this.#openBytes;
    this.#openBytes = 0;
    this.#isUrgent = false;
    const isEmpty = this.#liveOperations === 0;
    this.#liveOperations = 0;
    this.#laterOperations = 0;
    this.#lastingOperations = 0;
    return isEmpty ? undefined : operations;
  }

  #takeUpTo(ticket: number): Change[] | undefined {
    const operations: Change[] = [];
    let bytes = 0;
    let count = 0;
    for (const operation of this.#operations) {
      if (operation.ticket > ticket) break;
      count++;
      if (operation.cancelled) continue;
      operations.push(operation);
      bytes += operation.pendingBytes;
      if (operation.isLater) this.#laterOperations--;
      if (operation.isLasting) this.#lastingOperations--;
    }
    this.#operations = this.#operations.slice(count);
    this.#closedOperations -= count;
    this.#bytesInFlight = bytes;
    this.#openBytes -= bytes;
    this.#liveOperations -= operations.length;
    // What is left of them is not older than the first turn that is left.
    this.#laterSinceMs = this.#closedAtMs[0]!;
    return operations.length === 0 ? undefined : operations;
  }

  #finish(ticket: number): void {
    if (this.#failure !== undefined) return;
    this.#committedTicket = ticket;
    this.#ticketInFlight = 0;
    this.#bytesInFlight = 0;
    const waiters = this.#waiters;
    this.#waiters = [];
    for (let i = 0; i < waiters.length; i++) waiters[i]!.committed(ticket);
    // What this turn still puts joins the next batch, which begins at the end of the turn at best.
    const isWanted = this.#promised.length > 1 || this.#operations.length > 0;
    if (isWanted && !this.#scheduled) this.#schedule();
  }
}
