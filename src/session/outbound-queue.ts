import type { Clock } from '../base/clock.js';
import { Fifo } from '../base/fifo.js';
import type { ApplicationMessage } from '../wire/application-message.js';
import type { Delivery } from './delivery.js';
import type { Limits } from './limits.js';
import type { QueuePosition, QueueReader, SessionStore } from './session-store.js';
import { DropReason } from './statistics.js';

/** Entries read from the store at a time, and kept loaded ahead of the quota. */
const PAGE_ENTRIES = 256;

/** What an acknowledgement counts in the average of those before, as a power of two. */
const ACKNOWLEDGE_SHIFT = 3;
/** More is not remembered, so that a client that is quick again is soon known for it. */
const ACKNOWLEDGE_MS_MAX = 64;

/** What an entry takes in memory beside its message's bytes, roughly. */
const ENTRY_BYTES = 512;

/** Stand for what is empty: a Session whose client is away pays for neither. Never written. */
const NOTHING_LOADED = new Fifo<Delivery>();
const NONE_OPEN = new Map<number, OpenExchange>();

/** An exchange of an earlier connection whose message is in the store alone. */
export interface OpenExchange {
  readonly packetIdentifier: number;
  readonly sequence: number;
  readonly released: boolean;
  /** Where `released`: PUBREL waits for this batch; 0 is not at all. */
  readonly holdTicket: number;
}

/** What the queue asks of the flow that empties it. */
export interface QueueOwner {
  /** A client is there to take messages. */
  readonly isAttached: boolean;
  /** Messages that have no Packet Identifier yet. */
  readonly waiting: number;
  /** The sequence of the oldest entry in flight, or Infinity. */
  oldestInFlight(): number;
  /** Entries have been loaded. */
  loaded(): void;
  /** The queue is over its limits and this is the oldest that may go. */
  overflowed(delivery: Delivery): void;
}

/**
 * The messages of one Session that no client has acknowledged:
 *
 *     in the store alone │ loaded           │ in flight (OutboundFlow)
 *     loadedTo … tail    │ #loaded (Fifo)   │
 *
 * A stored Session (`sessionNumber` above 0) has every entry in the store, and in memory only while
 * a client is there to take it. Another Session has its entries in memory alone.
 */
export class OutboundQueue implements QueuePosition, QueueReader {
  sessionNumber = 0;
  tailSequence = 1;
  /** In a stored Session: all entries, those in flight included. */
  count = 0;
  bytes = 0;
  readonly #store: SessionStore;
  readonly #limits: Limits;
  readonly #owner: QueueOwner;
  #loaded: Fifo<Delivery> = NOTHING_LOADED;
  /** Read back like those, but their exchange has begun: sent before them, and never dropped. */
  #resends: Fifo<Delivery> = NOTHING_LOADED;
  /** By sequence: exchanges of an earlier connection that have not been read back. */
  #open: Map<number, OpenExchange> = NONE_OPEN;
  #loadedTo = 1;
  #reading = false;
  #readingStale = false;
  /** The Session has ended: nothing joins any more. */
  #isOver = false;
  #headSequence = 1;
  #headMayBeGone = false;
  /** Eight times the average, so that it is an integer. */
  #acknowledgeMsScaled = 0;

  constructor(store: SessionStore, limits: Limits, owner: QueueOwner) {
    this.#store = store;
    this.#limits = limits;
    this.#owner = owner;
  }

  get isStored(): boolean {
    return this.sessionNumber > 0;
  }

  get acknowledgeMs(): number {
    return this.#acknowledgeMsScaled >> ACKNOWLEDGE_SHIFT;
  }

  /** A QoS 1 message that was sent then; 0 is not known. */
  acknowledged(sentMs: number, clock: Clock): void {
    if (sentMs === 0) return;
    const ms = Math.min(clock.nowMs - sentMs, ACKNOWLEDGE_MS_MAX);
    this.#acknowledgeMsScaled += ms - this.acknowledgeMs;
  }

  /** Looked for only when it is asked for: most entries come and go between two batches. */
  get headSequence(): number {
    if (this.#headMayBeGone) this.#findHead();
    return this.#headSequence;
  }

  /** Nothing is in it nor read from it, and something may join it. */
  get isAtRest(): boolean {
    return this.count === 0 && !this.#reading && !this.#isOver;
  }

  /** Whether something waits here or in the store alone. */
  get hasBacklog(): boolean {
    return (
      this.#loaded.length > 0 || this.#resends.length > 0 || this.#loadedTo < this.tailSequence
    );
  }

  /** Entries in memory: in a Session that is not stored, all that wait. */
  get loaded(): number {
    return this.#loaded.length;
  }

  /** Exchanges of an earlier connection that have not been read back. */
  get openExchanges(): number {
    return this.#open.size;
  }

  restore(position: Omit<QueuePosition, 'sessionNumber'>): void {
    this.#headSequence = position.headSequence;
    this.tailSequence = position.tailSequence;
    this.count = position.count;
    this.bytes = position.bytes;
    this.#loadedTo = position.headSequence;
  }

  restoreExchange(exchange: OpenExchange): void {
    if (this.#open === NONE_OPEN) this.#open = new Map();
    this.#open.set(exchange.sequence, exchange);
  }

  /** Takes out the exchanges that wait for PUBCOMP alone: they have no message to read back. */
  takeReleased(): OpenExchange[] {
    const released = [...this.#open.values()].filter((exchange) => exchange.released);
    for (const { sequence } of released) this.#closed(sequence);
    return released;
  }

  usesIdentifier(packetIdentifier: number): boolean {
    for (const exchange of this.#open.values()) {
      if (exchange.packetIdentifier === packetIdentifier) return true;
    }
    return false;
  }

  /** Marks a delivery read from the store as one whose exchange has begun, if it has. */
  nameExchange(delivery: Delivery): boolean {
    const exchange = this.#open.get(delivery.sequence);
    if (exchange === undefined) return false;
    delivery.packetIdentifier = exchange.packetIdentifier;
    delivery.sentBefore = true;
    return true;
  }

  /** The delivery of an open exchange is in flight again. */
  resumed(delivery: Delivery): void {
    this.#closed(delivery.sequence);
  }

  /**
   * Whether one more message is beyond the limits; `waiting` are those without a Packet Identifier.
   */
  isFull(waiting: number, bytes: number): boolean {
    const { queuedMessagesMax, queuedBytesMax, cleanQueuedBytesMax } = this.#limits;
    const allBytes = this.bytes + bytes;
    if (waiting >= queuedMessagesMax || allBytes > queuedBytesMax) return true;
    if (this.isStored || waiting <= 0) return false;
    return allBytes + (waiting + 1) * ENTRY_BYTES > cleanQueuedBytesMax;
  }

  /** Why a message of this size may not join; undefined where it may. */
  refusal(bytes: number): DropReason | undefined {
    if (this.#isOver) return DropReason.SessionEnded;
    if (this.#limits.queueOverflow === 'drop-oldest') return undefined;
    return this.isFull(this.#owner.waiting, bytes) ? DropReason.QueueFull : undefined;
  }

  /**
   * The delivery goes past the queue, straight to the client; a stored Session keeps its record.
   */
  pass(delivery: Delivery, message: ApplicationMessage): void {
    this.#put(delivery, message);
    this.#loadedTo = this.tailSequence;
  }

  /**
   * The delivery waits. In a stored Session it stays loaded only while it is next and a client is
   * there.
   */
  push(delivery: Delivery, message: ApplicationMessage): void {
    if (!this.isStored) {
      delivery.message = message;
      this.bytes += message.bytes;
      this.#load(delivery);
      return;
    }
    const isNextToLoad = this.#loadedTo === this.tailSequence && !this.#reading;
    this.#put(delivery, message);
    if (!isNextToLoad || !this.#owner.isAttached || this.#loaded.length >= PAGE_ENTRIES) return;
    this.#load(delivery);
    this.#loadedTo = this.tailSequence;
  }

  shift(): Delivery | undefined {
    const delivery = this.#resends.shift() ?? this.#loaded.shift();
    if (!this.isStored && delivery !== undefined) this.bytes -= delivery.message!.bytes;
    return delivery;
  }

  /** A stored entry is done with: sent, acknowledged, expired or dropped. */
  remove(delivery: Delivery): void {
    if (!this.isStored) return;
    this.count--;
    if (delivery.message !== undefined) this.bytes -= delivery.message.bytes;
    this.#store.dequeue(this, delivery);
    this.#headMayBeGone = true;
  }

  /** QoS 2: the message goes, its exchange stays. */
  release(delivery: Delivery): void {
    if (!this.isStored) return;
    this.bytes -= delivery.message!.bytes;
    this.#store.released(this, delivery);
    this.#headMayBeGone = true;
  }

  /** Drops the oldest until the queue is within its limits; what is not loaded is read first. */
  trim(): void {
    while (this.isFull(this.#owner.waiting - 1, 0)) {
      const oldest = this.#loaded.peek();
      if (oldest === undefined) {
        this.readPage();
        return;
      }
      this.#loaded.shift();
      if (!this.isStored) this.bytes -= oldest.message!.bytes;
      this.#owner.overflowed(oldest);
    }
  }

  readPage(): void {
    if (!this.isStored || this.#isOver || this.#reading || this.#loaded.length > 0) return;
    if (this.#loadedTo >= this.tailSequence) return;
    this.#reading = true;
    this.#store.readQueue(this, this.#loadedTo, this.tailSequence, PAGE_ENTRIES, this);
  }

  /**
   * The client takes nothing, so what is next need not wait in memory as well. Where the oldest are
   * about to be dropped they stay, since they would be read for that.
   */
  unload(): void {
    const next = this.#loaded.peek();
    if (!this.isStored || next === undefined || this.#reading || this.#resends.length > 0) return;
    if (this.isFull(this.#owner.waiting, 0)) return;
    this.#loadedTo = next.sequence;
    this.#loaded = NOTHING_LOADED;
  }

  page(deliveries: readonly Delivery[], end: number): void {
    this.#reading = false;
    if (this.#isOver) return;
    if (this.#readingStale) this.#readingStale = false;
    else {
      this.#loadedTo = end;
      for (const delivery of deliveries) {
        if (this.nameExchange(delivery)) this.#loadResend(delivery);
        else this.#load(delivery);
      }
    }
    this.#owner.loaded();
  }

  /**
   * The Session ends. Its entries belong to whoever hands them over: one that was read here as well
   * would be removed from the store twice.
   */
  end(): void {
    this.#isOver = true;
    if (this.isStored) this.forgetLoaded();
  }

  /** Only the store's copy counts from here on. */
  forgetLoaded(): void {
    this.#loadedTo = this.headSequence;
    this.#loaded = NOTHING_LOADED;
    this.#resends = NOTHING_LOADED;
    this.#readingStale = this.#reading;
  }

  [Symbol.iterator](): Iterator<Delivery> {
    return this.#loaded[Symbol.iterator]();
  }

  /** The oldest entry that is still there. */
  #findHead(): void {
    let head = Math.min(
      this.#loaded.peek()?.sequence ?? this.#loadedTo,
      this.#owner.oldestInFlight(),
    );
    for (const exchange of this.#open.values()) {
      if (!exchange.released && exchange.sequence < head) head = exchange.sequence;
    }
    this.#headSequence = head;
    this.#headMayBeGone = false;
  }

  #load(delivery: Delivery): void {
    if (this.#loaded === NOTHING_LOADED) this.#loaded = new Fifo();
    this.#loaded.push(delivery);
  }

  #loadResend(delivery: Delivery): void {
    if (this.#resends === NOTHING_LOADED) this.#resends = new Fifo();
    this.#resends.push(delivery);
  }

  #closed(sequence: number): void {
    this.#open.delete(sequence);
    if (this.#open.size === 0) this.#open = NONE_OPEN;
  }

  #put(delivery: Delivery, message: ApplicationMessage): void {
    delivery.message = message;
    delivery.sequence = this.tailSequence++;
    this.count++;
    this.bytes += message.bytes;
    this.#store.enqueue(this, delivery);
  }
}
