import type { Clock } from '../base/clock.js';
import { Fifo } from '../base/fifo.js';
import type { ApplicationMessage } from '../wire/application-message.js';
import { NEVER_EXPIRES } from '../wire/application-message.js';
import type { PublishFrame } from '../wire/publish-frame.js';
import { Delivery, DeliveryState } from './delivery.js';
import type { Limits } from './limits.js';
import { PacketIdentifiers } from './packet-identifiers.js';
import { publishFlags, type Receiver } from './receiver.js';
import type { CommitWaiter, QueuePosition, QueueReader, SessionStore } from './session-store.js';
import { DropReason, type Statistics } from './statistics.js';

/** Entries read from the store at a time, and kept loaded ahead of the quota. */
const PAGE_ENTRIES = 256;

/** What all outbound flows share. */
export interface OutboundContext {
  readonly clock: Clock;
  readonly store: SessionStore;
  readonly limits: Limits;
  readonly statistics: Statistics;
  /** For messages that come from a queue: the frame of the message being published stays untouched. */
  readonly queuedFrame: PublishFrame;
}

/** An exchange of an earlier connection whose message is in the store alone. */
export interface OpenExchange {
  readonly packetIdentifier: number;
  readonly sequence: number;
  readonly released: boolean;
}

/**
 * The sender half of QoS 1 and 2 (section 4.3) and the queue behind it:
 *
 *     in the store alone │ loaded           │ in flight
 *     loadedTo … tail    │ #waiting (Fifo)  │ #inFlight, by Packet Identifier
 *
 * A stored Session (`sessionNumber` above 0) has every entry in the store, and in memory only while a
 * client is there to take it. Another Session has its entries in memory alone.
 */
export class OutboundFlow implements QueuePosition, QueueReader, CommitWaiter {
  sessionNumber = 0;
  headSequence = 1;
  tailSequence = 1;
  count = 0;
  bytes = 0;
  readonly #context: OutboundContext;
  readonly #inFlight = new Map<number, Delivery>();
  readonly #waiting = new Fifo<Delivery>();
  /** In flight, but not to be sent before their batch is durable; in order. */
  readonly #held = new Fifo<Delivery>();
  readonly #identifiers = new PacketIdentifiers();
  /** By sequence: exchanges of an earlier connection that have not been read back. */
  readonly #open = new Map<number, OpenExchange>();
  #loadedTo = 1;
  #reading = false;
  #readingStale = false;
  #waitsForCommit = false;
  #pumping = false;
  #quota = 0;
  #quotaMax = 0;
  #receiver: Receiver | undefined = undefined;

  constructor(context: OutboundContext) {
    this.#context = context;
  }

  get inFlight(): number {
    return this.#inFlight.size;
  }

  /** Messages that have no Packet Identifier yet. */
  get waiting(): number {
    return this.sessionNumber === 0
      ? this.#waiting.length
      : this.count - this.#inFlight.size - this.#open.size;
  }

  /** Whether a message given now would be sent at once. */
  get isClear(): boolean {
    return this.#quota > 0 && this.#receiver?.hasRoom === true && !this.#hasBacklog();
  }

  /**
   * A client is there: resends what an earlier connection left unacknowledged, then goes on with the
   * queue. [MQTT-4.4.0-1]
   */
  attach(receiver: Receiver, receiveMaximum: number): void {
    this.#receiver = receiver;
    this.#quota = receiveMaximum;
    this.#quotaMax = receiveMaximum;
    if (this.sessionNumber > 0) this.#forgetLoaded();
    for (const exchange of this.#open.values()) {
      if (!exchange.released) continue;
      const delivery = new Delivery(undefined, 2, false);
      delivery.sequence = exchange.sequence;
      delivery.packetIdentifier = exchange.packetIdentifier;
      delivery.state = DeliveryState.Released;
      this.#inFlight.set(exchange.packetIdentifier, delivery);
      this.#open.delete(exchange.sequence);
      receiver.sendPubrel(exchange.packetIdentifier, false);
    }
    this.pump();
  }

  /** The client is gone. A stored Session keeps in memory only which identifiers are in use. */
  detach(): void {
    this.#receiver = undefined;
    this.#quota = 0;
    this.#held.clear();
    if (this.sessionNumber === 0) return;
    for (const delivery of this.#inFlight.values()) {
      this.restoreExchange({
        packetIdentifier: delivery.packetIdentifier,
        sequence: delivery.sequence,
        released: delivery.state === DeliveryState.Released,
      });
    }
    this.#inFlight.clear();
    this.#forgetLoaded();
  }

  /** Where the queue stood in the store when it was opened. */
  restorePosition(position: Omit<QueuePosition, 'sessionNumber'>): void {
    this.headSequence = position.headSequence;
    this.tailSequence = position.tailSequence;
    this.count = position.count;
    this.bytes = position.bytes;
    this.#loadedTo = position.headSequence;
  }

  restoreExchange(exchange: OpenExchange): void {
    this.#open.set(exchange.sequence, exchange);
  }

  /** Marks a delivery read from the store as one whose exchange has begun, if it has. */
  nameExchange(delivery: Delivery): void {
    const exchange = this.#open.get(delivery.sequence);
    if (exchange === undefined) return;
    delivery.packetIdentifier = exchange.packetIdentifier;
    delivery.sentBefore = true;
  }

  /**
   * A message for this Session, at QoS 1 or 2 (or 0 for a client that is away, if those are queued).
   * `keep` gives the message as a value of its own; `frame` is the same message as bytes of this tick.
   * Returns false when the queue is full and the rule is to refuse.
   */
  deliver(
    delivery: Delivery,
    frame: PublishFrame,
    keep: () => ApplicationMessage,
    holdTicket: number,
  ): boolean {
    if (this.#receiver !== undefined && this.isClear && delivery.qos > 0) {
      this.#sendNow(delivery, frame, keep, holdTicket);
      return true;
    }
    delivery.holdTicket = holdTicket;
    return this.#enqueue(delivery, keep());
  }

  /** PUBACK. Returns false when the identifier is not in use. */
  acknowledged(packetIdentifier: number): boolean {
    const delivery = this.#inFlight.get(packetIdentifier);
    if (delivery === undefined || delivery.qos !== 1) return false;
    this.#done(delivery);
    return true;
  }

  /** PUBREC. [MQTT-4.3.3-4] */
  received(packetIdentifier: number, isFailure: boolean): void {
    const delivery = this.#inFlight.get(packetIdentifier);
    if (delivery === undefined || delivery.qos !== 2) {
      if (!isFailure) this.#receiver?.sendPubrel(packetIdentifier, true);
      return;
    }
    if (isFailure) {
      this.#done(delivery);
      return;
    }
    if (delivery.state === DeliveryState.Released) {
      if (delivery.holdTicket === 0) this.#receiver?.sendPubrel(packetIdentifier, false);
      return;
    }
    delivery.state = DeliveryState.Released;
    if (this.sessionNumber === 0) {
      delivery.message = undefined;
      this.#receiver?.sendPubrel(packetIdentifier, false);
      return;
    }
    const { store } = this.#context;
    this.bytes -= delivery.message!.bytes;
    store.released(this, delivery);
    delivery.message = undefined;
    // A PUBREL that went out before its record would let a restart send the message a second time.
    this.#hold(delivery, store.openTicket);
    this.#advanceHead();
  }

  /** PUBCOMP. Returns false when the identifier is not in use. */
  completed(packetIdentifier: number): boolean {
    const delivery = this.#inFlight.get(packetIdentifier);
    if (delivery === undefined || delivery.state !== DeliveryState.Released) return false;
    this.#done(delivery);
    return true;
  }

  /** Sends what quota and outbox allow, reading the queue back from the store as needed. */
  pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    while (this.#quota > 0 && this.#receiver?.hasRoom === true) {
      const delivery = this.#waiting.shift();
      if (delivery === undefined) break;
      if (this.#hasExpired(delivery)) this.#drop(delivery, DropReason.Expired);
      else this.#sendQueued(delivery);
    }
    this.#pumping = false;
    if (this.#receiver !== undefined && this.#waiting.length === 0) this.#readPage();
  }

  /** The Session ends: every delivery that no client has finished, for counting and redistribution. */
  *unfinished(): Iterable<Delivery> {
    for (const delivery of this.#inFlight.values()) {
      if (delivery.state === DeliveryState.InFlight) yield delivery;
    }
    yield* this.#waiting;
  }

  committed(ticket: number): void {
    this.#waitsForCommit = false;
    for (;;) {
      const delivery = this.#held.peek();
      if (delivery === undefined) break;
      if (delivery.holdTicket > ticket) {
        this.#awaitCommit();
        break;
      }
      this.#held.shift();
      delivery.holdTicket = 0;
      if (this.#inFlight.get(delivery.packetIdentifier) !== delivery) continue;
      if (delivery.state === DeliveryState.Released) {
        this.#receiver?.sendPubrel(delivery.packetIdentifier, false);
      } else this.#transmit(delivery);
    }
    this.pump();
  }

  page(deliveries: readonly Delivery[], end: number): void {
    this.#reading = false;
    if (this.#readingStale) {
      this.#readingStale = false;
      if (this.#receiver === undefined) this.#trim();
      else this.pump();
      return;
    }
    this.#loadedTo = end;
    for (const delivery of deliveries) {
      this.nameExchange(delivery);
      this.#waiting.push(delivery);
    }
    if (this.#receiver === undefined) this.#trim();
    else this.pump();
  }

  #forgetLoaded(): void {
    this.#waiting.clear();
    this.#loadedTo = this.headSequence;
    this.#readingStale = this.#reading;
  }

  #hasBacklog(): boolean {
    return this.#waiting.length > 0 || this.#loadedTo < this.tailSequence;
  }

  #sendNow(
    delivery: Delivery,
    frame: PublishFrame,
    keep: () => ApplicationMessage,
    holdTicket: number,
  ): void {
    const { store } = this.#context;
    delivery.packetIdentifier = this.#identifiers.allocate(this.#inFlight);
    delivery.state = DeliveryState.InFlight;
    let ticket = holdTicket;
    if (this.sessionNumber > 0) {
      delivery.message = keep();
      this.#append(delivery, delivery.message);
      this.#loadedTo = this.tailSequence;
      store.sent(this, delivery);
      // Its identifier must be durable first: a restart that gave it to another message would lose that one.
      if (delivery.qos === 2) ticket = store.openTicket;
    } else if (ticket > 0 || delivery.share !== undefined) delivery.message = keep();
    this.#inFlight.set(delivery.packetIdentifier, delivery);
    this.#quota--;
    if (ticket > 0 || this.#held.length > 0) this.#hold(delivery, ticket);
    else this.#send(delivery, frame);
  }

  #sendQueued(delivery: Delivery): void {
    const { store } = this.#context;
    if (delivery.qos === 0) {
      const { message } = delivery;
      this.#transmit(delivery);
      delivery.message = message;
      this.#remove(delivery);
      return;
    }
    delivery.state = DeliveryState.InFlight;
    this.#quota--;
    const isResend = delivery.packetIdentifier !== 0;
    if (isResend) this.#open.delete(delivery.sequence);
    else delivery.packetIdentifier = this.#identifiers.allocate(this.#identifiersInUse);
    this.#inFlight.set(delivery.packetIdentifier, delivery);
    let ticket = delivery.holdTicket > store.committedTicket ? delivery.holdTicket : 0;
    if (this.sessionNumber === 0) this.bytes -= delivery.message!.bytes;
    else if (!isResend) {
      store.sent(this, delivery);
      if (delivery.qos === 2) ticket = store.openTicket;
    }
    if (ticket > 0 || this.#held.length > 0) this.#hold(delivery, ticket);
    else this.#transmit(delivery);
  }

  readonly #identifiersInUse: { has(packetIdentifier: number): boolean } = {
    has: (packetIdentifier) => {
      if (this.#inFlight.has(packetIdentifier)) return true;
      for (const exchange of this.#open.values()) {
        if (exchange.packetIdentifier === packetIdentifier) return true;
      }
      return false;
    },
  };

  /** From a kept message. */
  #transmit(delivery: Delivery): void {
    const { queuedFrame, clock } = this.#context;
    queuedFrame.fromMessage(delivery.message!, clock.wallMs());
    // Nothing is sent again in a Session that ends with its connection; a share may pass it on.
    if (this.sessionNumber === 0 && delivery.share === undefined) delivery.message = undefined;
    this.#send(delivery, queuedFrame);
  }

  #send(delivery: Delivery, frame: PublishFrame): void {
    const receiver = this.#receiver;
    if (receiver === undefined) return;
    const dup = delivery.sentBefore; // [MQTT-3.3.1-1]
    if (dup) this.#context.statistics.retransmissions++;
    const flags = publishFlags(dup, delivery.qos, delivery.retain);
    const { packetIdentifier, subscriptionIdentifiers } = delivery;
    if (receiver.sendPublish(frame, flags, packetIdentifier, subscriptionIdentifiers)) return;
    receiver.dropped(DropReason.PacketTooLarge, frame.topic);
    if (delivery.qos > 0) this.#done(delivery);
  }

  #hold(delivery: Delivery, ticket: number): void {
    delivery.holdTicket = ticket;
    this.#held.push(delivery);
    this.#awaitCommit();
  }

  #awaitCommit(): void {
    if (this.#waitsForCommit) return;
    this.#waitsForCommit = true;
    this.#context.store.afterCommit(this);
  }

  /** The exchange is over: quota and, in a stored Session, the records go. */
  #done(delivery: Delivery): void {
    this.#inFlight.delete(delivery.packetIdentifier);
    if (this.#quota < this.#quotaMax) this.#quota++;
    this.#remove(delivery);
    if (this.#hasBacklog()) this.pump();
  }

  #remove(delivery: Delivery): void {
    if (this.sessionNumber > 0) {
      this.count--;
      if (delivery.message !== undefined) this.bytes -= delivery.message.bytes;
      this.#context.store.dequeue(this, delivery);
      this.#advanceHead();
    } else if (delivery.message !== undefined && delivery.state === DeliveryState.Queued) {
      this.bytes -= delivery.message.bytes;
    }
    delivery.message = undefined;
  }

  /** Moves the head to the oldest entry that is still there. */
  #advanceHead(): void {
    let head = this.#waiting.peek()?.sequence ?? this.#loadedTo;
    for (const delivery of this.#inFlight.values()) {
      if (delivery.state !== DeliveryState.InFlight) continue;
      if (delivery.sequence < head) head = delivery.sequence;
      break;
    }
    for (const exchange of this.#open.values()) {
      if (!exchange.released && exchange.sequence < head) head = exchange.sequence;
    }
    this.headSequence = head;
  }

  #append(delivery: Delivery, message: ApplicationMessage): void {
    delivery.message = message;
    delivery.sequence = this.tailSequence++;
    this.count++;
    this.bytes += message.bytes;
    this.#context.store.enqueue(this, delivery);
  }

  #enqueue(delivery: Delivery, message: ApplicationMessage): boolean {
    const { limits } = this.#context;
    const isFull =
      this.waiting >= limits.queuedMessagesMax ||
      this.bytes + message.bytes > limits.queuedBytesMax;
    if (isFull && limits.queueOverflow !== 'drop-oldest') {
      this.#countDrop(DropReason.QueueFull, message.topicBytes);
      return limits.queueOverflow === 'drop-newest';
    }
    delivery.message = message;
    if (this.sessionNumber === 0) {
      this.bytes += message.bytes;
      this.#waiting.push(delivery);
    } else {
      const isNextToLoad = this.#loadedTo === this.tailSequence && !this.#reading;
      this.#append(delivery, message);
      if (isNextToLoad && this.#receiver !== undefined && this.#waiting.length < PAGE_ENTRIES) {
        this.#waiting.push(delivery);
        this.#loadedTo = this.tailSequence;
      }
    }
    this.#trim();
    return true;
  }

  /** Drops the oldest until the queue is within its limits; what is not loaded is read first. */
  #trim(): void {
    const { limits } = this.#context;
    while (this.waiting > limits.queuedMessagesMax || this.bytes > limits.queuedBytesMax) {
      const oldest = this.#waiting.peek();
      if (oldest === undefined) {
        this.#readPage();
        return;
      }
      const isResend = oldest.packetIdentifier !== 0;
      if (isResend && this.#receiver !== undefined) return;
      this.#waiting.shift();
      if (!isResend) this.#drop(oldest, DropReason.QueueFull);
    }
  }

  #readPage(): void {
    if (this.sessionNumber === 0 || this.#reading || this.#loadedTo >= this.tailSequence) return;
    this.#reading = true;
    this.#context.store.readQueue(this, this.#loadedTo, this.tailSequence, PAGE_ENTRIES, this);
  }

  #hasExpired(delivery: Delivery): boolean {
    const { expiresAtWallMs } = delivery.message!;
    if (expiresAtWallMs === NEVER_EXPIRES || delivery.sentBefore) return false;
    return expiresAtWallMs <= this.#context.clock.wallMs(); // [MQTT-3.3.2-5]
  }

  #drop(delivery: Delivery, reason: DropReason): void {
    this.#countDrop(reason, delivery.message!.topicBytes);
    this.#remove(delivery);
  }

  #countDrop(reason: DropReason, topic: Uint8Array): void {
    if (this.#receiver !== undefined) this.#receiver.dropped(reason, topic);
    else this.#context.statistics.dropped[reason]++;
  }
}
