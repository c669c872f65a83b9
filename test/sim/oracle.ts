import type { IPublishPacket } from 'mqtt-packet';
import type { DropReason } from '../../src/session/statistics.js';
import type { DeviceCareWatch } from './device-care.js';
import { isShared, plainFilter, topicMatches } from './topic-match.js';

/** What the oracle asks of the world. */
export interface OracleWorld {
  readonly nowMs: number;
  readonly step: number;
  readonly crashes: readonly number[];
  readonly calmSinceMs: number;
  readonly care: DeviceCareWatch;
}

/** One Application Message as its publisher meant it. */
export interface SentMessage {
  readonly id: string;
  readonly publisher: string;
  readonly number: number;
  readonly topic: string;
  readonly qos: 0 | 1 | 2;
  readonly retain: boolean;
  readonly payload: Buffer;
  readonly expirySeconds: number;
  /** Its publisher keeps to the protocol: at QoS 2 it arrives once. */
  readonly isCorrect: boolean;
  firstSentStep: number;
  lastSentStep: number;
  ackedStep: number;
  /** When the broker was given it, for the first time and for the last; 0 when it never was. */
  firstArrivedMs: number;
  lastArrivedMs: number;
}

/** A Subscription between what the client knows for sure and what may be. */
export interface KnownSubscription {
  readonly filter: string;
  readonly qos: 0 | 1 | 2;
  readonly noLocal: boolean;
  readonly maybeFrom: number;
  surelyFrom: number;
  surelyTo: number;
  maybeTo: number;
}

export interface Receipt {
  readonly message: SentMessage;
  readonly step: number;
  readonly qos: 0 | 1 | 2;
  readonly retain: boolean;
  readonly dup: boolean;
}

/** One Session as a client saw it, from the CONNACK that began it. */
export interface SessionEpoch {
  readonly client: string;
  readonly isPersistent: boolean;
  /** The client acknowledges, remembers what it received and comes back. */
  readonly isCorrect: boolean;
  readonly beganStep: number;
  readonly subscriptions: KnownSubscription[];
  readonly receipts: Map<string, Receipt[]>;
  /** Two fight for it: what one subscribes to the other receives. */
  readonly isContested: boolean;
  /** Something in it was acknowledged, so it must survive a crash. */
  isPromised: boolean;
  /** Discarded, or ended with its connection: nothing more is owed to it. */
  isOver: boolean;
}

const NEVER = Number.POSITIVE_INFINITY;
const EXPIRY_SLACK_MS = 200;

/** Knows what was sent, acknowledged and received, and what must hold then (see `check`). */
export class Oracle {
  readonly violations: string[] = [];
  readonly messages: Map<string, SentMessage> = new Map<string, SentMessage>();
  readonly epochs: SessionEpoch[] = [];
  readonly dropped: Map<string, number> = new Map<string, number>();
  readonly #world: OracleWorld;

  constructor(world: OracleWorld) {
    this.#world = world;
  }

  violation(sentence: string): void {
    this.violations.push(`at ${this.#world.nowMs} ms (step ${this.#world.step}): ${sentence}`);
  }

  addDrops(dropped: Readonly<Record<DropReason, number>>): void {
    for (const [reason, count] of Object.entries(dropped)) {
      this.dropped.set(reason, (this.dropped.get(reason) ?? 0) + count);
    }
  }

  // What clients tell.

  beginEpoch(
    who: Pick<SessionEpoch, 'client' | 'isPersistent' | 'isCorrect' | 'isContested'>,
  ): SessionEpoch {
    const epoch: SessionEpoch = {
      ...who,
      beganStep: this.#world.step,
      subscriptions: [],
      receipts: new Map(),
      isPromised: false,
      isOver: false,
    };
    this.epochs.push(epoch);
    return epoch;
  }

  /** From this step on nothing is promised to the Session any more. */
  endEpoch(epoch: SessionEpoch, mayStillGet: boolean): void {
    epoch.isOver = true;
    for (const subscription of epoch.subscriptions) {
      subscription.surelyTo = Math.min(subscription.surelyTo, this.#world.step);
      if (!mayStillGet) subscription.maybeTo = Math.min(subscription.maybeTo, this.#world.step);
    }
  }

  subscribing(
    epoch: SessionEpoch,
    request: Pick<KnownSubscription, 'filter' | 'qos' | 'noLocal'>,
  ): KnownSubscription {
    for (const old of epoch.subscriptions) {
      if (old.filter === request.filter) old.surelyTo = Math.min(old.surelyTo, this.#world.step);
    }
    const subscription: KnownSubscription = {
      ...request,
      maybeFrom: this.#world.step,
      surelyFrom: NEVER,
      surelyTo: NEVER,
      maybeTo: NEVER,
    };
    epoch.subscriptions.push(subscription);
    return subscription;
  }

  sent(message: SentMessage): void {
    this.messages.set(message.id, message);
  }

  received(epoch: SessionEpoch, publish: IPublishPacket): void {
    // It only cleared what was retained, and has no name.
    if (publish.payload.length === 0) return;
    const id = idOf(publish.payload);
    const message = id === undefined ? undefined : this.messages.get(id);
    if (message === undefined) {
      this.violation(`${epoch.client} received a message that nobody sent: ${publish.topic}`);
      return;
    }
    const { qos, retain, dup } = publish;
    const receipt: Receipt = { message, step: this.#world.step, qos, retain, dup };
    const isSame = message.payload.equals(publish.payload as Buffer);
    if (!isSame || message.topic !== publish.topic || qos > message.qos) {
      this.violation(
        `${epoch.client} received ${message.id} changed: ${publish.topic} (${message.topic}) qos ${qos} (${message.qos}) ${isSame}`,
      );
    }
    const receipts = epoch.receipts.get(message.id);
    if (receipts === undefined) epoch.receipts.set(message.id, [receipt]);
    else receipts.push(receipt);
    if (!epoch.isContested) this.#checkMatch(epoch, receipt);
    this.#checkOnce(epoch, message);
  }

  // What the taps tell.

  arrived(publish: IPublishPacket): void {
    const message = this.messages.get(idOf(publish.payload) ?? '');
    if (message === undefined) return;
    const { nowMs } = this.#world;
    if (message.firstArrivedMs === 0) message.firstArrivedMs = nowMs;
    message.lastArrivedMs = nowMs;
  }

  /**
   * The broker writes it: nothing is sent for the first time after its expiry, unless it was on its
   * way by then and waited for a network that has been full since. [MQTT-3.3.2-5]
   */
  left(publish: IPublishPacket, fullSinceMs: number): void {
    const message = this.messages.get(idOf(publish.payload) ?? '');
    if (message === undefined || message.expirySeconds === 0 || message.lastArrivedMs === 0) return;
    const { nowMs } = this.#world;
    const endsMs = message.lastArrivedMs + message.expirySeconds * 1000;
    const isLate = Math.min(nowMs, fullSinceMs) > endsMs + EXPIRY_SLACK_MS;
    if (!publish.dup && isLate) {
      this.violation(`${message.id} was sent ${nowMs - endsMs} ms after its expiry`);
    }
    const told = publish.properties?.messageExpiryInterval;
    if (told !== undefined && told > message.expirySeconds) {
      this.violation(`${message.id} grew its Message Expiry Interval to ${told} [MQTT-3.3.2-6]`);
    }
  }

  // What must hold.

  /** Nothing reaches a Session without a matching Subscription, and at no higher QoS than granted. */
  #checkMatch(epoch: SessionEpoch, { message, step, qos, retain }: Receipt): void {
    const isLate = retain || !message.isCorrect;
    const routedBefore = isLate ? step : Math.min(step, message.ackedStep);
    const possible = epoch.subscriptions.filter(
      (subscription) =>
        topicMatches(plainFilter(subscription.filter), message.topic) &&
        // A message of a share is given again when the Session of its first member ends.
        subscription.maybeFrom < (isShared(subscription.filter) ? step : routedBefore) &&
        subscription.maybeTo > message.firstSentStep &&
        !(subscription.noLocal && message.publisher === epoch.client),
    );
    if (possible.length === 0) {
      this.violation(`${epoch.client} received ${message.id} (${message.topic}) unasked`);
    } else if (possible.every((subscription) => subscription.qos < qos)) {
      this.violation(
        `${epoch.client} received ${message.id} at QoS ${qos}, above what was granted`,
      );
    }
  }

  /** QoS 2 exactly once; QoS 0 at most once; other copies of QoS 2 messages only with DUP. */
  #checkOnce(epoch: SessionEpoch, message: SentMessage): void {
    if (message.retain || !message.isCorrect || message.qos === 1) return;
    const receipts = epoch.receipts.get(message.id)!;
    const times = epoch.isCorrect ? receipts.filter((receipt) => receipt.qos !== 1).length : 0;
    if (times > 1) {
      const last = receipts[receipts.length - 1]!;
      this.violation(
        `${epoch.client} received ${message.id} ${times} times (QoS ${message.qos} as ${last.qos})`,
      );
    }
  }

  /** When everything has come to rest: what was promised has been kept. */
  check(): void {
    this.#checkArrival();
    this.#checkShares();
    for (const epoch of this.epochs) this.#checkOrder(epoch);
  }

  /** What the broker said it dropped from queues of living Sessions. */
  get #dropsAllowed(): number {
    return (this.dropped.get('queue_full') ?? 0) + (this.dropped.get('packet_too_large') ?? 0);
  }

  #checkArrival(): void {
    const { care } = this.#world;
    const missing: string[] = [];
    let spared = 0;
    for (const epoch of this.epochs) {
      if (!epoch.isPersistent || !epoch.isCorrect || epoch.isOver) continue;
      for (const message of this.messages.values()) {
        if (message.ackedStep === NEVER || message.expirySeconds > 0) continue;
        if (message.payload.length === 0 || !message.isCorrect) continue;
        if (epoch.receipts.has(message.id)) continue;
        const wanted = epoch.subscriptions.find(
          (subscription) =>
            !isShared(subscription.filter) &&
            subscription.qos > 0 &&
            isSurelyMatched(subscription, message) &&
            !(subscription.noLocal && message.publisher === epoch.client),
        );
        if (wanted === undefined) continue;
        if (care.smallDevices.has(epoch.client) && spared++ < care.deadLettered) continue;
        missing.push(`${message.id} (${message.topic} by ${wanted.filter}) to ${epoch.client}`);
      }
    }
    if (missing.length > this.#dropsAllowed) {
      const some = missing.slice(0, 5).join(', ');
      this.violation(
        `${missing.length} acknowledged, ${this.#dropsAllowed} dropped; lost: ${some}`,
      );
    }
  }

  /** A message for a share reaches one member; at QoS 2 never two. */
  #checkShares(): void {
    const names = new Set<string>();
    for (const epoch of this.epochs) {
      for (const { filter } of epoch.subscriptions) if (isShared(filter)) names.add(filter);
    }
    let missing = 0;
    let missingAtQoS2 = 0;
    let example = '';
    for (const name of names) {
      for (const message of this.messages.values()) {
        if (!topicMatches(plainFilter(name), message.topic) || message.expirySeconds > 0) continue;
        const receipts = this.#receiptsOf(name, message);
        const times = receipts.filter(({ qos }) => qos === 2).length;
        if (message.isCorrect && times > 1) {
          this.violation(`${message.id} was received ${times} times through ${name}`);
        }
        const isOwed = message.ackedStep < NEVER && this.#isOwedToShare(name, message);
        if (receipts.length > 0 || !isOwed) continue;
        if (message.qos === 2) missingAtQoS2++;
        else missing++;
        example = message.id;
      }
    }
    // An exchange that has begun at QoS 2 must not go on with another client. [MQTT-4.8.2-5]
    const allowedAtQoS2 = this.#dropsAllowed + (this.dropped.get('session_ended') ?? 0);
    if (missing > this.#dropsAllowed || missingAtQoS2 > allowedAtQoS2) {
      this.violation(`${missing} and ${missingAtQoS2} messages of shares lost, as ${example}`);
    }
  }

  #receiptsOf(name: string, message: SentMessage): Receipt[] {
    return this.epochs.flatMap((epoch) => {
      const isMember = epoch.subscriptions.some(({ filter }) => filter === name);
      return isMember ? (epoch.receipts.get(message.id) ?? []) : [];
    });
  }

  #isOwedToShare(name: string, message: SentMessage): boolean {
    if (this.#mayHaveDiedWithMember(name, message)) return false;
    return this.epochs.some(
      (epoch) =>
        epoch.isPersistent &&
        epoch.isCorrect &&
        !epoch.isOver &&
        epoch.subscriptions.some(
          (subscription) =>
            subscription.filter === name &&
            subscription.qos > 0 &&
            isSurelyMatched(subscription, message),
        ),
    );
  }

  /** A member without a lasting Session may have had it when the process died. */
  #mayHaveDiedWithMember(name: string, message: SentMessage): boolean {
    const { crashes, calmSinceMs } = this.#world;
    const hadIt = (atMs: number): boolean => atMs >= message.firstArrivedMs && atMs < calmSinceMs;
    if (!crashes.some(hadIt)) return false;
    return this.epochs.some(
      (epoch) =>
        !epoch.isPersistent &&
        epoch.subscriptions.some(
          ({ filter, maybeFrom, maybeTo }) =>
            filter === name && maybeFrom < message.ackedStep && maybeTo > message.firstSentStep,
        ),
    );
  }

  /** Per publisher, Topic Name and QoS, first copies come in the order of sending. [MQTT-4.6.0-5] */
  #checkOrder(epoch: SessionEpoch): void {
    if (!epoch.isCorrect) return;
    const firsts = [...epoch.receipts.values()].map(([first]) => first!);
    firsts.sort((a, b) => a.step - b.step);
    const last = new Map<string, SentMessage>();
    for (const { message, qos, retain } of firsts) {
      if (retain || message.retain || !message.isCorrect) continue;
      // The first copy of what was sent again may have been dropped, and a later one not.
      const mayBeDropped = qos === 0 || message.expirySeconds > 0 || this.#dropsAllowed > 0;
      if (mayBeDropped && message.firstSentStep !== message.lastSentStep) continue;
      if (!this.#isOrdered(epoch, message)) continue;
      const key = `${message.publisher} ${message.topic} ${message.qos} ${qos}`;
      const before = last.get(key);
      if (before !== undefined && before.number > message.number) {
        this.violation(`${epoch.client} received ${before.id} before ${message.id} (${key})`);
        return;
      }
      last.set(key, message);
    }
  }

  /** Not through a share, and not subscribed between the first and a later sending. */
  #isOrdered(epoch: SessionEpoch, message: SentMessage): boolean {
    return epoch.subscriptions.every(
      ({ filter, maybeFrom, surelyFrom }) =>
        !topicMatches(plainFilter(filter), message.topic) ||
        (!isShared(filter) &&
          (message.firstSentStep > surelyFrom || message.lastSentStep < maybeFrom)),
    );
  }
}

function isSurelyMatched(subscription: KnownSubscription, message: SentMessage): boolean {
  return (
    message.qos > 0 &&
    subscription.surelyFrom < message.firstSentStep &&
    subscription.surelyTo > message.ackedStep &&
    topicMatches(plainFilter(subscription.filter), message.topic)
  );
}

/** Messages carry their name in front of their padding. */
export function idOf(payload: string | Buffer): string | undefined {
  const text = payload.toString('latin1');
  const end = text.indexOf('|');
  return end < 0 ? undefined : text.slice(0, end);
}
