import { type ApplicationMessage, NEVER_EXPIRES } from '../wire/application-message.js';
import type { PublishFrame } from '../wire/publish-frame.js';
import type { ClientAccess } from './client-access.js';
import { Delivery, DeliveryState, hasExpired, isForbidden } from './delivery.js';
import type { DeliveryWatch, WatchedFlow, Watching } from './delivery-watch.js';
import { HeldDeliveries, type HeldOwner } from './held-deliveries.js';
import { InFlight, type Progress } from './in-flight.js';
import type { OutboundContext } from './outbound-context.js';
import { OutboundQueue, type QueueOwner } from './outbound-queue.js';
import { PacketIdentifiers } from './packet-identifiers.js';
import { publishFlags, type Receiver } from './receiver.js';
import { DropReason } from './statistics.js';

/** Stands for what is empty: a Session whose client is away pays nothing. Never written. */
const NONE = new InFlight();

/** The sender half of QoS 1 and 2 (section 4.3): identifiers, quota, and what is in flight. */
export class OutboundFlow implements HeldOwner, QueueOwner, WatchedFlow {
  readonly queue: OutboundQueue;
  /** Set while the queue has what came there under other rights: it is judged before it is sent. */
  access: ClientAccess | undefined = undefined;
  /** Of the connection that is there: who watches its deliveries. */
  watching: Watching | undefined = undefined;
  /** How many are to be in flight, beside those that were let go beyond it. */
  window = 0;
  /** Made when the first of them leaves. */
  watch: DeliveryWatch | undefined = undefined;
  readonly #context: OutboundContext;
  readonly #clientIdentifier: string;
  #inFlight: InFlight = NONE;
  /** Those behind one that is held must not overtake it. Made when needed, as these two are. */
  #held: HeldDeliveries | undefined = undefined;
  #identifiers: PacketIdentifiers | undefined = undefined;
  #pumping = false;
  #quota = 0;
  #receiver: Receiver | undefined = undefined;

  constructor(context: OutboundContext, clientIdentifier: string) {
    this.#context = context;
    this.#clientIdentifier = clientIdentifier;
    this.queue = new OutboundQueue(context.store, context.limits, this);
  }

  get inFlight(): number {
    return this.#inFlight.size;
  }

  /** Messages that have no Packet Identifier yet. */
  get waiting(): number {
    const { queue } = this;
    return queue.isStored ? queue.count - this.#inFlight.size - queue.openExchanges : queue.loaded;
  }

  get progress(): Progress {
    return this.#inFlight;
  }

  get isAttached(): boolean {
    return this.#receiver !== undefined;
  }

  /** Whether a message given now would be sent at once. */
  get isClear(): boolean {
    return this.#quota > 0 && this.#receiver?.hasRoom === true && !this.queue.hasBacklog;
  }

  /** No client is there, and none has left anything to be done. */
  get isAtRest(): boolean {
    if (this.isAttached || this.#identifiers?.isWithholding === true) return false;
    return this.#inFlight.size === 0 && this.queue.isAtRest;
  }

  get isStuck(): boolean {
    return this.#quota <= 0 && this.queue.hasBacklog;
  }

  deliveriesInFlight(): Iterable<Delivery> {
    return this.#inFlight.inOrder();
  }

  /** Until they are acknowledged, as many more may be in flight. */
  widen(messages: number): void {
    this.#quota += messages;
    this.pump();
  }

  /** How many may be in flight from now on. */
  setWindow(messages: number): void {
    this.#quota += messages - this.window;
    this.window = messages;
    this.pump();
  }

  /** The client will never finish it: its slot and its records go. Nothing else is sent. */
  takeOut(delivery: Delivery): void {
    this.#inFlight.delete(delivery);
    if (this.#quota < this.window) this.#quota++;
    this.queue.remove(delivery);
    delivery.message = undefined;
  }

  /** The same without the client, which may answer it after all. */
  abandon(delivery: Delivery): void {
    this.#identifiers ??= new PacketIdentifiers();
    this.#identifiers.withhold(delivery.packetIdentifier);
    this.takeOut(delivery);
    const places = this.#inFlight.size + this.#quota;
    if (this.watch?.countsStill(delivery.packetIdentifier, places) === true) this.#quota--;
  }

  /**
   * A client is there: resends what an earlier connection left unacknowledged, then goes on with
   * the queue. [MQTT-4.4.0-1]
   */
  attach(receiver: Receiver, receiveMaximum: number): void {
    this.#receiver = receiver;
    this.#quota = receiveMaximum;
    this.window = receiveMaximum;
    if (this.queue.isStored) this.queue.forgetLoaded();
    for (const exchange of this.queue.takeReleased()) {
      const delivery = new Delivery(undefined, 2, false);
      delivery.sequence = exchange.sequence;
      delivery.packetIdentifier = exchange.packetIdentifier;
      delivery.state = DeliveryState.Released;
      this.#track(delivery);
      // Below 0 for a client that came back with a smaller Receive Maximum.
      this.#quota--; // [MQTT-3.3.4-9]
      const { holdTicket } = exchange;
      // A client may be back before the record that it waits for is durable.
      if (holdTicket > this.#context.store.committedTicket) this.#hold(delivery, holdTicket);
      else {
        receiver.sendPubrel(exchange.packetIdentifier, false);
        this.#watched()?.resumed(delivery);
      }
    }
    this.pump();
  }

  /** The client is gone. A stored Session keeps in memory only which identifiers are in use. */
  detach(): void {
    this.#receiver = undefined;
    this.watch?.stop();
    this.watch = undefined;
    this.watching = undefined;
    this.#quota = 0;
    this.#held?.clear();
    if (!this.queue.isStored) return;
    for (const delivery of this.#inFlight.inOrder()) {
      const { packetIdentifier, sequence, holdTicket } = delivery;
      const released = delivery.state === DeliveryState.Released;
      this.queue.restoreExchange({ packetIdentifier, sequence, released, holdTicket });
    }
    this.#inFlight = NONE;
    this.queue.forgetLoaded();
  }

  /**
   * A message for this Session, at QoS 1 or 2 (or 0 for a client that is away, if those are
   * queued). `keep` gives the message as a value of its own; `frame` is the same message as bytes
   * of this tick. Where the queue is full, the oldest or this one is dropped; who can be told was
   * asked by `refuses` before.
   */
  deliver(
    delivery: Delivery,
    frame: PublishFrame,
    keep: () => ApplicationMessage,
    holdTicket: number,
  ): void {
    if (this.isClear && delivery.qos > 0) this.#sendNow(delivery, frame, keep, holdTicket);
    else {
      delivery.holdTicket = holdTicket;
      this.#enqueue(delivery, keep());
    }
  }

  /** Whether the rule is to refuse and a message of this size would have to be. */
  refuses(bytes: number): boolean {
    if (this.#context.limits.queueOverflow !== 'refuse' || this.isClear) return false;
    return this.queue.isFull(this.waiting, bytes);
  }

  /** PUBACK. An identifier that is not in use is passed over. */
  acknowledged(packetIdentifier: number): void {
    const delivery = this.#inFlight.get(packetIdentifier);
    if (delivery === undefined) this.#answeredLate(packetIdentifier);
    if (delivery?.qos !== 1) return;
    this.#inFlight.confirm(delivery);
    this.watch?.acknowledged(delivery);
    if (this.queue.isStored) this.queue.acknowledged(delivery.sentMs, this.#context.clock);
    this.#done(delivery);
  }

  /** PUBREC. [MQTT-4.3.3-4] */
  received(packetIdentifier: number, isFailure: boolean): void {
    const delivery = this.#inFlight.get(packetIdentifier);
    if (delivery === undefined || delivery.qos !== 2) {
      // One of an earlier connection that has not been sent again yet is not unknown: a PUBREL for
      // it now would make the client take the message that follows for a new one.
      const isUnknown = delivery !== undefined || !this.queue.usesIdentifier(packetIdentifier);
      if (!isFailure && isUnknown) this.#receiver?.sendPubrel(packetIdentifier, true);
      return;
    }
    this.#inFlight.confirm(delivery);
    if (delivery.state !== DeliveryState.Released) this.watch?.acknowledged(delivery);
    if (isFailure) {
      this.#done(delivery);
      return;
    }
    if (delivery.state === DeliveryState.Released) {
      if (delivery.holdTicket === 0) this.#receiver?.sendPubrel(packetIdentifier, false);
      return;
    }
    delivery.state = DeliveryState.Released;
    this.queue.release(delivery);
    delivery.message = undefined;
    // A PUBREL that went out before its record would let a restart send the message a second time.
    if (this.queue.isStored) this.#hold(delivery, this.#context.store.openTicket);
    else this.#receiver?.sendPubrel(packetIdentifier, false);
  }

  /** PUBCOMP. An identifier that is not in use is passed over. */
  completed(packetIdentifier: number): void {
    const delivery = this.#inFlight.get(packetIdentifier);
    if (delivery?.state === DeliveryState.Released) this.#done(delivery);
    else if (delivery === undefined) this.#answeredLate(packetIdentifier);
  }

  /** Sends what quota and outbox allow, reading the queue back from the store as needed. */
  pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    while (this.#quota > 0 && this.#receiver?.hasRoom === true) {
      const delivery = this.queue.shift();
      if (delivery === undefined) break;
      if (hasExpired(delivery, this.#context.clock)) this.#drop(delivery, DropReason.Expired);
      else if (isForbidden(delivery, this.access)) this.#drop(delivery, DropReason.NotAuthorized);
      else this.#sendQueued(delivery);
    }
    if (this.access !== undefined && !this.queue.hasBacklog) this.access = undefined;
    this.#pumping = false;
    if (this.#receiver !== undefined && this.#quota > 0) this.queue.readPage();
  }

  letGo(delivery: Delivery): void {
    if (this.#inFlight.get(delivery.packetIdentifier) !== delivery) return;
    if (delivery.state === DeliveryState.Released) {
      this.#receiver?.sendPubrel(delivery.packetIdentifier, false);
      if (delivery.sentMs === 0) this.#watched()?.resumed(delivery);
    } else this.#transmit(delivery);
  }

  oldestInFlight(): number {
    return this.#inFlight.oldestSequence();
  }

  loaded(): void {
    this.queue.trim();
    this.pump();
  }

  overflowed(delivery: Delivery): void {
    this.#drop(delivery, DropReason.QueueFull);
  }

  /** Whether a Packet Identifier is in use, by an exchange of this connection or an earlier one. */
  has(packetIdentifier: number): boolean {
    return this.#inFlight.has(packetIdentifier) || this.queue.usesIdentifier(packetIdentifier);
  }

  #answeredLate(packetIdentifier: number): void {
    this.#identifiers?.finished(packetIdentifier);
    if (this.watch?.acknowledgedUnknown(packetIdentifier) === true) this.widen(1);
  }

  #watched(): DeliveryWatch | undefined {
    this.watch ??= this.watching?.begin(this);
    return this.watch;
  }

  #allocate(inUse: { has(packetIdentifier: number): boolean }): number {
    this.#identifiers ??= new PacketIdentifiers();
    return this.#identifiers.allocate(inUse);
  }

  #hold(delivery: Delivery, ticket: number): void {
    this.#held ??= new HeldDeliveries(this.#context.store, this);
    this.#held.hold(delivery, ticket);
  }

  #track(delivery: Delivery): void {
    if (this.#inFlight === NONE) this.#inFlight = new InFlight();
    this.#inFlight.add(delivery);
  }

  #sendNow(
    delivery: Delivery,
    frame: PublishFrame,
    keep: () => ApplicationMessage,
    holdTicket: number,
  ): void {
    const { store } = this.#context;
    delivery.packetIdentifier = this.#allocate(this.#inFlight);
    delivery.state = DeliveryState.InFlight;
    let ticket = holdTicket;
    if (this.queue.isStored) {
      this.queue.pass(delivery, keep());
      // Its identifier must be durable first: a restart that gave it to another message would lose
      // that one.
      if (delivery.qos === 2) ticket = store.openTicket;
    } else if (ticket > 0 || this.#held?.isEmpty === false || delivery.share !== undefined) {
      delivery.message = keep();
    }
    this.#track(delivery);
    this.#quota--;
    if (ticket > 0 || this.#held?.isEmpty === false) this.#hold(delivery, ticket);
    else this.#send(delivery, frame);
  }

  #sendQueued(delivery: Delivery): void {
    if (delivery.qos === 0) {
      const { message } = delivery;
      this.#transmit(delivery);
      delivery.message = message;
      this.queue.remove(delivery);
      return;
    }
    const { store } = this.#context;
    delivery.state = DeliveryState.InFlight;
    this.#quota--;
    let ticket = delivery.holdTicket > store.committedTicket ? delivery.holdTicket : 0;
    if (delivery.packetIdentifier !== 0) this.queue.resumed(delivery);
    else {
      delivery.packetIdentifier = this.#allocate(this);
      if (this.queue.isStored) {
        store.sent(this.queue, delivery);
        if (delivery.qos === 2) ticket = store.openTicket;
      }
    }
    this.#track(delivery);
    if (ticket > 0 || this.#held?.isEmpty === false) this.#hold(delivery, ticket);
    else this.#transmit(delivery);
  }

  /** From a kept message. */
  #transmit(delivery: Delivery): void {
    const { queuedFrame, clock } = this.#context;
    const message = delivery.message!;
    const expires = message.expiresAtWallMs !== NEVER_EXPIRES;
    queuedFrame.fromMessage(message, expires ? clock.wallMs() : 0);
    // Nothing is sent again in a Session that ends with its connection; a share may pass it on.
    if (!this.queue.isStored && delivery.share === undefined) delivery.message = undefined;
    this.#send(delivery, queuedFrame);
  }

  #send(delivery: Delivery, frame: PublishFrame): void {
    const receiver = this.#receiver;
    if (receiver === undefined) return;
    const dup = delivery.sentBefore; // [MQTT-3.3.1-1]
    if (dup) this.#context.statistics.retransmissions++;
    const flags = publishFlags(dup, delivery.qos, delivery.retain);
    const { packetIdentifier, subscriptionIdentifiers } = delivery;
    if (receiver.sendPublish(frame, flags, packetIdentifier, subscriptionIdentifiers)) {
      if (delivery.qos > 0) this.#watched()?.sent(delivery, receiver.sentBytes);
      return;
    }
    if (this.#watched()?.tooLarge(delivery, frame) !== true) {
      this.#countDrop(DropReason.PacketTooLarge, frame.topic);
    }
    if (delivery.qos > 0) this.#done(delivery);
  }

  /** The exchange is over: quota and, in a stored Session, the records go. */
  #done(delivery: Delivery): void {
    this.takeOut(delivery);
    if (this.queue.hasBacklog) this.pump();
  }

  #enqueue(delivery: Delivery, message: ApplicationMessage): void {
    const { queue } = this;
    const refusal = queue.refusal(message.bytes);
    if (refusal !== undefined) {
      this.#countDrop(refusal, message.topicBytes);
      return;
    }
    queue.push(delivery, message);
    queue.trim();
  }

  #drop(delivery: Delivery, reason: DropReason): void {
    this.#countDrop(reason, delivery.message!.topicBytes);
    this.queue.remove(delivery);
    delivery.message = undefined;
  }

  #countDrop(reason: DropReason, topic: Uint8Array): void {
    this.#context.drops.record(this.#clientIdentifier, reason, topic);
  }
}
