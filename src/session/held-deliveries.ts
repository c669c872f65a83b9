import { Fifo } from '../base/fifo.js';
import type { Delivery } from './delivery.js';
import type { CommitWaiter, SessionStore } from './session-store.js';

/** Whoever goes on when what was held is durable. */
export interface HeldOwner {
  /** Its batch is durable. */
  letGo(delivery: Delivery): void;
  /** All that a batch has let go has been told. */
  pump(): void;
}

/** Deliveries in flight whose next packet waits until its batch is durable; in order. */
export class HeldDeliveries implements CommitWaiter {
  readonly #store: SessionStore;
  readonly #owner: HeldOwner;
  #held: Fifo<Delivery> | undefined = undefined;
  #waitsForCommit = false;

  constructor(store: SessionStore, owner: HeldOwner) {
    this.#store = store;
    this.#owner = owner;
  }

  get isEmpty(): boolean {
    return this.#held === undefined || this.#held.length === 0;
  }

  hold(delivery: Delivery, ticket: number): void {
    delivery.holdTicket = ticket;
    this.#held ??= new Fifo();
    this.#held.push(delivery);
    this.#awaitCommit();
  }

  clear(): void {
    this.#held = undefined;
  }

  committed(ticket: number): void {
    this.#waitsForCommit = false;
    for (;;) {
      const delivery = this.#held?.peek();
      if (delivery === undefined) break;
      if (delivery.holdTicket > ticket) {
        this.#awaitCommit();
        break;
      }
      this.#held!.shift();
      delivery.holdTicket = 0;
      this.#owner.letGo(delivery);
    }
    this.#owner.pump();
  }

  #awaitCommit(): void {
    if (this.#waitsForCommit) return;
    this.#waitsForCommit = true;
    this.#store.afterCommit(this);
  }
}
