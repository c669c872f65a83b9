import { type Delivery, DeliveryState } from './delivery.js';

const SLOTS_MIN = 8;
/** More of them are given back when nothing is in flight. */
const SLOTS_KEPT_MAX = 1024;
/** Slots for each delivery up to which they are doubled where two of them meet. */
const SLOTS_FOLD_MAX = 4;

/** How far a client is, as `Delivery.sentOrder` counts. */
export interface Progress {
  /** The last message that has begun its way. */
  readonly sentOrder: number;
  /** The last of them that it has acknowledged. */
  readonly confirmedOrder: number;
}

/**
 * Deliveries by Packet Identifier. Identifiers are given in a row and most come back soon, so each
 * has a slot of an array that is little longer than what is in flight; the few that are left behind
 * make room for those that come round.
 */
export class InFlight implements Progress {
  size = 0;
  sentOrder = 0;
  confirmedOrder = 0;
  #slots: (Delivery | undefined)[] = newSlots(SLOTS_MIN);
  #strays: Map<number, Delivery> | undefined = undefined;

  /** Length of the array, which follows what is in flight. */
  get slots(): number {
    return this.#slots.length;
  }

  /** The client has this one: whatever went before it has arrived. */
  confirm({ sentOrder }: Delivery): void {
    if (sentOrder > this.confirmedOrder) this.confirmedOrder = sentOrder;
  }

  get(packetIdentifier: number): Delivery | undefined {
    const slots = this.#slots;
    const delivery = slots[packetIdentifier & (slots.length - 1)];
    if (delivery !== undefined && delivery.packetIdentifier === packetIdentifier) return delivery;
    return this.#strays?.get(packetIdentifier);
  }

  has(packetIdentifier: number): boolean {
    return this.get(packetIdentifier) !== undefined;
  }

  /** Its identifier is in use by no other. */
  add(delivery: Delivery): void {
    delivery.sentOrder = ++this.sentOrder;
    this.size++;
    if (this.#put(delivery)) return;
    while (this.size * SLOTS_FOLD_MAX >= this.#slots.length) {
      this.#grow();
      if (this.#put(delivery)) return;
    }
    this.#strays ??= new Map();
    this.#strays.set(delivery.packetIdentifier, delivery);
  }

  delete(delivery: Delivery): void {
    const slots = this.#slots;
    const { packetIdentifier } = delivery;
    const at = packetIdentifier & (slots.length - 1);
    if (slots[at] === delivery) slots[at] = undefined;
    else if (this.#strays?.get(packetIdentifier) !== delivery) return;
    else this.#strays.delete(packetIdentifier);
    this.size--;
    if (this.size === 0 && slots.length > SLOTS_KEPT_MAX) this.#slots = newSlots(SLOTS_MIN);
  }

  /** All, in the order of sending. */
  inOrder(): Delivery[] {
    const all: Delivery[] = [];
    if (this.size === 0) return all;
    for (const delivery of this.#slots) if (delivery !== undefined) all.push(delivery);
    if (this.#strays !== undefined) all.push(...this.#strays.values());
    return all.sort((a, b) => a.sentOrder - b.sentOrder);
  }

  /** The least sequence of a message that the client has not received, or Infinity. */
  oldestSequence(): number {
    let oldest = Number.POSITIVE_INFINITY;
    if (this.size === 0) return oldest;
    for (const delivery of this.#slots) oldest = older(delivery, oldest);
    if (this.#strays === undefined) return oldest;
    for (const delivery of this.#strays.values()) oldest = older(delivery, oldest);
    return oldest;
  }

  #put(delivery: Delivery): boolean {
    const slots = this.#slots;
    const at = delivery.packetIdentifier & (slots.length - 1);
    if (slots[at] !== undefined) return false;
    slots[at] = delivery;
    return true;
  }

  /** Two that meet nowhere among the old slots cannot meet among twice as many. */
  #grow(): void {
    const old = this.#slots;
    this.#slots = newSlots(old.length * 2);
    for (const delivery of old) if (delivery !== undefined) this.#put(delivery);
  }
}

function older(delivery: Delivery | undefined, oldest: number): number {
  if (delivery?.state !== DeliveryState.InFlight) return oldest;
  return Math.min(delivery.sequence, oldest);
}

function newSlots(count: number): (Delivery | undefined)[] {
  return new Array<Delivery | undefined>(count).fill(undefined);
}
