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
/** With larger messages alone unacknowledged, the reason is their size. */
const SKIPPED_BY_SIZE_MS = 10_000;
/** Without a reason that shows, more has to speak against a message. */
const SKIPPED_MS = 120_000;
const SKIPPED_BY_MIN = 3;
/** A full window is stuck after this long, when the client was heard meanwhile or when not. */
const STUCK_HEARD_MS = 10_000;
const STUCK_MS = 20_000;
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
  /** Lets some messages go beyond the window. */
  widen(messages: number): void;
}

/** What becomes of deliveries that the client does not finish. */
export interface DeliveryJudge {
  /** These were passed over: ones sent behind them have been acknowledged. */
  passedOver(watch: DeliveryWatch, deliveries: readonly Delivery[]): void;
  /** PUBREL was not answered although the client is there. */
  notCompleted(watch: DeliveryWatch, delivery: Delivery): void;
  /** Larger than what has been learned of the client; whether it was taken over. */
  tooLarge(watch: DeliveryWatch, delivery: Delivery, frame: PublishFrame): boolean;
}

/** What the watches of all connections share. */
export interface WatchContext {
  readonly judge: DeliveryJudge;
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
  /** What the client has sent again first on this connection; undefined while it is nothing. */
  firstResent: ResentPacket | undefined = undefined;
  readonly #context: WatchContext;

  constructor(device: Device, line: Line, probeMax: number, context: WatchContext) {
    this.device = device;
    this.line = line;
    this.probeMax = probeMax;
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
  #probesLeft: number;
  #probeNext = 1;
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
    this.#probesLeft = Math.min(watching.probeMax, PROBE_MESSAGES_MAX);
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

  stop(): void {
    this.#timers.disarm(this);
  }

  look(): void {
    const { nowMs } = this.#clock;
    const passedOver: Delivery[] = [];
    const notCompleted: Delivery[] = [];
    let oldest: Delivery | undefined;
    let isEmpty = true;
    for (const delivery of this.#flow.deliveriesInFlight()) {
      isEmpty = false;
      if (delivery.sentMs === 0) continue;
      if (delivery.state === DeliveryState.Released) {
        if (this.#heardSince(delivery, PUBREL_MS, nowMs)) notCompleted.push(delivery);
        continue;
      }
      oldest ??= delivery;
      if (this.#isPassedOver(delivery, nowMs)) passedOver.push(delivery);
    }
    if (isEmpty) return;
    for (const delivery of notCompleted) this.#judge.notCompleted(this, delivery);
    if (this.#isEvidence(passedOver, nowMs)) this.#judge.passedOver(this, passedOver);
    else if (oldest !== undefined && this.#flow.isStuck) this.#probe(oldest, nowMs);
    const isProbing = this.#probeNext > 1 && this.#probesLeft > 0;
    if (!this.armed) this.#timers.arm(this, isProbing ? PROBE_LOOK_MS : LOOK_MS);
  }

  get #wasDeaf(): boolean {
    return this.device.deafConnections > 0;
  }

  #heardSince(delivery: Delivery, ageMs: number, nowMs: number): boolean {
    return nowMs - delivery.sentMs >= ageMs && this.#line.heardMs - delivery.sentMs >= ageMs / 2;
  }

  /**
   * Acknowledgements come in the order of the messages [MQTT-4.6.0-2], so one for a later message
   * says that this one was passed over.
   */
  #isPassedOver(delivery: Delivery, nowMs: number): boolean {
    const { sentMs, sentOrder, sentBytes, qos, sentBefore } = delivery;
    const behind = this.#highestAcknowledged[qos]! - sentOrder;
    if (behind <= 0) return false;
    const ageMs = nowMs - sentMs;
    if (sentBytes > this.device.largestAcknowledgedBytes) {
      return ageMs >= SKIPPED_BY_SIZE_MS || (this.#wasDeaf && sentBefore);
    }
    return ageMs >= SKIPPED_MS && behind >= SKIPPED_BY_MIN;
  }

  /** A single one may be a long job: while nothing waits for its place, it has time. */
  #isEvidence(passedOver: readonly Delivery[], nowMs: number): boolean {
    const [first, ...others] = passedOver;
    if (first === undefined) return false;
    const isPressing = this.#flow.isStuck || this.#wasDeaf || others.length > 0;
    return isPressing || nowMs - first.sentMs >= SKIPPED_MS;
  }

  /**
   * Nothing has been acknowledged for long. Whether the client is slow or deaf to these messages is
   * told by what it does with the next ones: a few are sent beyond the window.
   */
  #probe(oldest: Delivery, nowMs: number): void {
    const quietMs = nowMs - Math.max(oldest.sentMs, this.#acknowledgedMs);
    const wasHeard = this.#line.heardMs - oldest.sentMs >= 1000;
    let enoughMs = wasHeard ? STUCK_HEARD_MS : STUCK_MS;
    if (this.#wasDeaf && this.isDeaf) {
      enoughMs = DEAF_LOOK_MS;
      this.#probeNext = Math.max(this.#probeNext, DEAF_PROBE_MESSAGES);
    }
    if (quietMs < enoughMs || this.#probesLeft <= 0) return;
    const messages = Math.min(this.#probeNext, this.#probesLeft);
    this.#probesLeft -= messages;
    this.#probeNext *= 2;
    this.#flow.widen(messages);
  }
}

function look(entry: TimerEntry): void {
  if (entry instanceof DeliveryWatch) entry.look();
}
