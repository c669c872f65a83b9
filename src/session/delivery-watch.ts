import { type Clock, TimerEntry, type Timers } from '../base/clock.js';
import type { PublishFrame } from '../wire/publish-frame.js';
import { type Delivery, DeliveryState } from './delivery.js';
import { type Device, UNLIMITED } from './device.js';

/** In flight is looked at this often, while something is. */
const LOOK_MS = 5000;
/** The same while it is tried whether later messages are taken. */
const PROBE_LOOK_MS = 2000;
/** Messages sent beyond a window that is full of ones that nobody acknowledges. */
const PROBE_MESSAGES_MAX = 32;
/** So long after it was sent, a message that was passed over holds no place any more. */
const PASSED_OVER_MS = 10_000;
/** A full window is stuck after this long, when the client was heard meanwhile or when not. */
const STUCK_HEARD_MS = 10_000;
const STUCK_MS = 20_000;
/** So long a client may take for PUBCOMP before others go past the exchange. */
const PUBREL_MS = 60_000;
/** Where the last connection has ended with a full window and nothing acknowledged. */
const DEAF_LOOK_MS = 1000;
const DEAF_PROBE_MESSAGES = 16;

/** The flow that is watched. */
export interface WatchedFlow {
  /** In order of sending. */
  deliveriesInFlight(): Iterable<Delivery>;
  /** The window is full and more waits. */
  readonly isStuck: boolean;
  readonly queue: {
    /** Lets what waits be in the store alone. */
    unload(): void;
  };
  readonly inFlight: number;
  /** How many are to be in flight. */
  readonly window: number;
  /** Lets some messages go beyond the window. */
  widen(messages: number): void;
}

/** What becomes of deliveries that the client does not finish. */
export interface DeliveryJudge {
  /** These are passed over, but it may take them yet: others go past them. */
  slow(watch: DeliveryWatch, deliveries: readonly Delivery[]): void;
  /** PUBREL was not answered for a minute although the client is there: the same. */
  slowToComplete(watch: DeliveryWatch, delivery: Delivery): void;
  /** Ones sent behind these have been acknowledged, and these have not for very long. */
  passedOver(watch: DeliveryWatch, deliveries: readonly Delivery[]): void;
  /** PUBREL was not answered for very long. */
  notCompleted(watch: DeliveryWatch, delivery: Delivery): void;
  /** A message that was given up as passed over was acknowledged so long after it was sent. */
  tookAfterAll(watch: DeliveryWatch, ageMs: number): void;
  /** Larger than what has been learned of the client; whether it was taken over. */
  tooLarge(watch: DeliveryWatch, delivery: Delivery, frame: PublishFrame): boolean;
}

/** What the watches of all connections share. */
export interface WatchContext {
  readonly judge: DeliveryJudge;
  /** How long a message may be passed over, from a client that was never slower. */
  readonly patienceMs: number;
  readonly clock: Clock;
  readonly timers: Timers;
}

/** When the client was heard last. */
interface Line {
  readonly heardMs: number;
}

/** A packet of an exchange that began on an earlier connection, or was answered already. */
export interface ResentPacket {
  readonly type: 'PUBLISH' | 'PUBREL';
  readonly packetIdentifier: number;
}

/** Makes the watch of one connection when there is something to watch: most only listen. */
export class Watching {
  readonly device: Device;
  readonly line: Line;
  /** Messages that may be sent beyond the window. */
  readonly probeMax: number;
  /** What the client may be sent before it answers; without end where it cannot say it. */
  readonly receiveMaximum: number;
  /** What the client has sent again first on this connection; undefined while it is nothing. */
  firstResent: ResentPacket | undefined = undefined;
  /** Messages that it has passed over on earlier connections, by their sequence. */
  readonly passedOverBefore: ReadonlySet<number>;
  readonly #context: WatchContext;

  constructor(
    device: Device,
    line: Line,
    most: { readonly probeMax: number; readonly receiveMaximum: number },
    passedOverBefore: ReadonlySet<number>,
    context: WatchContext,
  ) {
    this.passedOverBefore = passedOverBefore;
    this.device = device;
    this.line = line;
    this.probeMax = most.probeMax;
    this.receiveMaximum = most.receiveMaximum;
    this.#context = context;
  }

  begin(flow: WatchedFlow): DeliveryWatch {
    return new DeliveryWatch(flow, this, this.#context);
  }
}

/**
 * Watches what one connection's client does with its QoS 1 and 2 messages: how long it takes to
 * acknowledge them, and which ones it never does. A packet costs a few additions; the rest is done
 * by a timer that runs only while something is in flight.
 */
export class DeliveryWatch extends TimerEntry {
  readonly device: Device;
  /** The shortest time that an acknowledgement took on this connection. */
  quickestMs: number = Number.POSITIVE_INFINITY;
  readonly #flow: WatchedFlow;
  readonly #judge: DeliveryJudge;
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #line: Line;
  readonly #passedOverBefore: ReadonlySet<number>;
  readonly #patienceMs: number;
  /** Messages that may be beyond the window. */
  readonly #probeMax: number;
  readonly #receiveMaximum: number;
  /** Packet Identifiers of exchanges ended without the client, which counts them still. */
  #counted: Set<number> | undefined = undefined;
  /** Places that these take from others. */
  #placesKept = 0;
  #probeNext = 1;
  /** Places given for messages that hold one without need. */
  #placesGiven = 0;
  #hasToldOfPubrel = false;
  /** When messages were sent that were given up, by Packet Identifier. */
  #givenUp: Map<number, number> | undefined = undefined;
  #sentCount = 0;
  /** By QoS: PUBACK and PUBREC have their own orders. [MQTT-4.6.0-2] */
  readonly #highestAcknowledged = [0, 0, 0];
  #acknowledgedMs = 0;
  #acknowledgedCount = 0;

  constructor(flow: WatchedFlow, watching: Watching, context: WatchContext) {
    super(look);
    this.device = watching.device;
    this.#flow = flow;
    this.#judge = context.judge;
    this.#clock = context.clock;
    this.#timers = context.timers;
    this.#line = watching.line;
    this.#passedOverBefore = watching.passedOverBefore;
    this.#patienceMs = context.patienceMs;
    this.#probeMax = Math.min(watching.probeMax, PROBE_MESSAGES_MAX);
    this.#receiveMaximum = watching.receiveMaximum;
    this.#acknowledgedMs = context.clock.nowMs;
  }

  /** Messages sent on this connection at QoS 1 and 2. */
  get sentCount(): number {
    return this.#sentCount;
  }

  /** All that may be in flight is, more waits, and nothing was acknowledged on this connection. */
  get isDeaf(): boolean {
    return this.#acknowledgedCount === 0 && this.#sentCount > 0 && this.#flow.isStuck;
  }

  /** Something was acknowledged on this connection. */
  get hasAcknowledged(): boolean {
    return this.#acknowledgedCount > 0;
  }

  /** The first message that was sent on this connection and not acknowledged. */
  get oldestUnacknowledged(): Delivery | undefined {
    for (const delivery of this.#flow.deliveriesInFlight()) {
      if (delivery.sentMs > 0 && delivery.state === DeliveryState.InFlight) return delivery;
    }
    return undefined;
  }

  sent(delivery: Delivery, bytes: number): void {
    // Never 0, which is "not sent".
    delivery.sentMs = this.#clock.nowMs || 1;
    this.#sentCount++;
    delivery.sentBytes = bytes;
    if (!this.armed) this.#timers.arm(this, this.#wasDeaf ? DEAF_LOOK_MS : LOOK_MS);
  }

  /** PUBREL was sent for a message of an earlier connection. */
  resumed(delivery: Delivery): void {
    delivery.sentMs = this.#clock.nowMs || 1;
    if (!this.armed) this.#timers.arm(this, LOOK_MS);
  }

  tooLarge(delivery: Delivery, frame: PublishFrame): boolean {
    return this.device.packetBytesMax !== UNLIMITED && this.#judge.tooLarge(this, delivery, frame);
  }

  /** PUBACK, or PUBREC for the first time. */
  acknowledged(delivery: Delivery): void {
    const { sentMs, sentOrder, sentBytes, qos } = delivery;
    if (sentMs === 0) return;
    const { nowMs } = this.#clock;
    const { device } = this;
    device.addLatency(nowMs - sentMs);
    if (nowMs - sentMs < this.quickestMs) this.quickestMs = nowMs - sentMs;
    this.#acknowledgedMs = nowMs;
    // What was passed over then is passed over now: nothing else has to be waited for.
    if (this.#acknowledgedCount++ === 0 && this.#wasDeaf) this.#timers.arm(this, 0);
    if (sentOrder > this.#highestAcknowledged[qos]!) this.#highestAcknowledged[qos] = sentOrder;
    if (sentBytes > device.largestAcknowledgedBytes) device.largestAcknowledgedBytes = sentBytes;
    // From here on it is PUBREL that waits for an answer.
    if (qos === 2) delivery.sentMs = nowMs || 1;
  }

  /**
   * An exchange was ended without the client, which counts it until it answers; so many others may
   * be in flight. Whether that is one too many. [MQTT-3.3.4-9]
   */
  countsStill(packetIdentifier: number, places: number): boolean {
    this.#counted ??= new Set();
    this.#counted.add(packetIdentifier);
    if (places + this.#counted.size <= this.#receiveMaximum) return false;
    this.#placesKept++;
    return true;
  }

  /** An acknowledgement for an identifier that is not in use. Whether it gives a place back. */
  acknowledgedUnknown(packetIdentifier: number): boolean {
    const sentMs = this.#givenUp?.get(packetIdentifier);
    if (sentMs !== undefined) {
      this.#givenUp!.delete(packetIdentifier);
      this.#judge.tookAfterAll(this, this.#clock.nowMs - sentMs);
    }
    const givesPlace = this.#counted?.delete(packetIdentifier) === true && this.#placesKept > 0;
    if (givesPlace) this.#placesKept--;
    return givesPlace;
  }

  stop(): void {
    this.#timers.disarm(this);
  }

  /** What the client has passed over on this connection: later ones are acknowledged. */
  passedOver(): Delivery[] {
    return [...this.#flow.deliveriesInFlight()].filter((delivery) => this.#isPassedOver(delivery));
  }

  look(): void {
    const { nowMs } = this.#clock;
    const due: Delivery[] = [];
    const slow: Delivery[] = [];
    const uncompleted: Delivery[] = [];
    let oldest: Delivery | undefined;
    let isEmpty = true;
    for (const delivery of this.#flow.deliveriesInFlight()) {
      isEmpty = false;
      if (delivery.sentMs === 0) continue;
      const ageMs = nowMs - delivery.sentMs;
      if (delivery.state === DeliveryState.Released) {
        if (this.#heardSince(delivery, PUBREL_MS, nowMs)) uncompleted.push(delivery);
        continue;
      }
      oldest ??= delivery;
      if (!this.#isPassedOver(delivery)) continue;
      if (ageMs >= this.#patience) due.push(delivery);
      else if (ageMs >= PASSED_OVER_MS || this.#wasDeaf || this.#wasPassedOver(delivery)) {
        slow.push(delivery);
      }
    }
    if (isEmpty) return;
    this.#complete(uncompleted, nowMs);
    const hasHeldUp = this.#placesGiven > 0 || this.#probeNext > 1;
    if (slow.length > 0 && hasHeldUp) this.#judge.slow(this, slow);
    if (due.length > 0) this.#giveUp(due);
    else if (!this.#makeWay(slow, uncompleted.length) && oldest !== undefined) {
      this.#probe(oldest, nowMs);
    }
    const isProbing = this.#probeNext > 1 && this.#probesLeft > 0;
    if (!this.armed) this.#timers.arm(this, isProbing ? PROBE_LOOK_MS : LOOK_MS);
  }

  /** Whoever took long once may do so again. */
  get #patience(): number {
    return Math.max(this.#patienceMs, 2 * this.device.latency.maxMs);
  }

  get #probesLeft(): number {
    const { inFlight, window } = this.#flow;
    const counted = this.#counted?.size ?? 0;
    const left = this.#receiveMaximum - Math.max(inFlight, window) - counted;
    return Math.min(this.#probeMax - Math.max(0, inFlight - window), left);
  }

  get #wasDeaf(): boolean {
    return this.device.deafConnections > 0;
  }

  #heardSince(delivery: Delivery, ageMs: number, nowMs: number): boolean {
    return nowMs - delivery.sentMs >= ageMs && this.#line.heardMs - delivery.sentMs >= ageMs / 2;
  }

  /**
   * Acknowledgements come in the order of the messages [MQTT-4.6.0-2], so one for a later message
   * says that this one was passed over: by a client that cannot take it, or by one that works on
   * several at a time and keeps to no order.
   */
  #isPassedOver(delivery: Delivery): boolean {
    const { sentMs, sentOrder, state, qos } = delivery;
    if (sentMs === 0 || state !== DeliveryState.InFlight) return false;
    return this.#highestAcknowledged[qos]! > sentOrder || this.#wasPassedOver(delivery);
  }

  /** Of a window that is full of them none is acknowledged on this connection. */
  #wasPassedOver({ sequence }: Delivery): boolean {
    return this.#passedOverBefore.has(sequence);
  }

  #complete(uncompleted: readonly Delivery[], nowMs: number): void {
    for (const delivery of uncompleted) {
      if (nowMs - delivery.sentMs >= this.#patience) this.#judge.notCompleted(this, delivery);
      else if (!this.#hasToldOfPubrel) {
        this.#hasToldOfPubrel = true;
        this.#judge.slowToComplete(this, delivery);
      }
    }
  }

  #giveUp(due: readonly Delivery[]): void {
    this.#givenUp ??= new Map();
    for (const { packetIdentifier, sentMs } of due) this.#givenUp.set(packetIdentifier, sentMs);
    this.#judge.passedOver(this, due);
  }

  /** Others take the places of these; whether any was given. */
  #makeWay(slow: readonly Delivery[], uncompleted: number): boolean {
    const holding = slow.length + uncompleted;
    this.#placesGiven = Math.min(this.#placesGiven, holding);
    const places = Math.min(holding - this.#placesGiven, this.#probesLeft);
    if (places <= 0 || !this.#flow.isStuck) return false;
    this.#placesGiven += places;
    this.#flow.widen(places);
    return true;
  }

  /**
   * Nothing has been acknowledged for long. Whether the client is slow or deaf to these messages is
   * told by what it does with the next ones: a few are sent beyond the window.
   */
  #probe(oldest: Delivery, nowMs: number): void {
    const quietMs = nowMs - Math.max(oldest.sentMs, this.#acknowledgedMs);
    if (quietMs >= LOOK_MS) this.#flow.queue.unload();
    const wasHeard = this.#line.heardMs - oldest.sentMs >= 1000;
    let enoughMs = wasHeard ? STUCK_HEARD_MS : STUCK_MS;
    if (this.#wasDeaf && this.isDeaf) {
      enoughMs = DEAF_LOOK_MS;
      this.#probeNext = Math.max(this.#probeNext, DEAF_PROBE_MESSAGES);
    }
    const messages = Math.min(this.#probeNext, this.#probesLeft);
    if (quietMs < enoughMs || messages <= 0 || !this.#flow.isStuck) return;
    this.#probeNext *= 2;
    this.#flow.widen(messages);
  }
}

function look(entry: TimerEntry): void {
  if (entry instanceof DeliveryWatch) entry.look();
}
