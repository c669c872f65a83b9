import type { Clock } from '../base/clock.js';
import { Fifo } from '../base/fifo.js';
import { Delivery } from '../session/delivery.js';
import type { Drops } from '../session/drops.js';
import type { Limits } from '../session/limits.js';
import { publishFlags } from '../session/receiver.js';
import type { Session } from '../session/session.js';
import type { CommitWaiter } from '../session/session-store.js';
import { DropReason } from '../session/statistics.js';
import type { Subscription } from '../session/subscription.js';
import { qosFor } from '../session/subscription.js';
import type { Topic } from '../session/topic.js';
import type { RouteCache } from '../topic/route-cache.js';
import type { TopicEntry } from '../topic/topic-table.js';
import { ApplicationMessage, NEVER_EXPIRES } from '../wire/application-message.js';
import type { ProtocolVersion, QoS } from '../wire/control-packet.js';
import { forwardedProperties } from '../wire/decode-publish.js';
import { keep } from '../wire/keep.js';
import type { Publish } from '../wire/publish.js';
import { PublishFrame } from '../wire/publish-frame.js';
import { ReasonCode } from '../wire/reason-code.js';
import type { RetainedMessages } from './retained.js';
import type { Route, RouteTarget } from './route.js';
import type { Share, Shares } from './shares.js';
import type { Store } from './store.js';

const NO_IDENTIFIERS: readonly number[] = [];
/** Below this a copy is cheaper than holding on to the whole packet. */
const OWNED_PAYLOAD_BYTES_MIN = 4096;

/** A QoS 0 copy of a message that must not go out before its publisher's record is durable. */
interface Postponed {
  readonly ticket: number;
  readonly message: ApplicationMessage;
  readonly session: Session;
  readonly identifiers: readonly number[];
  readonly retain: boolean;
}

/**
 * The path of a message through the broker: retain, match, deliver. Who may publish was decided
 * before; who acknowledges, and when, is told by the returned reason code and by `ticket`.
 */
export class PublishPath implements CommitWaiter {
  /** Of the message just published: its batch, or 0 when nothing about it has to be durable. */
  ticket = 0;
  readonly #routes: RouteCache<Route>;
  readonly #retained: RetainedMessages;
  readonly #shares: Shares;
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #limits: Limits;
  readonly #drops: Drops;
  readonly #frame = new PublishFrame();
  readonly #postponed = new Fifo<Postponed>();
  #waitsForCommit = false;
  /** The message of this call as a value, made when somebody needs it. */
  #kept: ApplicationMessage | undefined = undefined;
  #publish: Publish | undefined = undefined;
  #topic: Topic | undefined = undefined;
  #publisher = '';
  #holdTicket = 0;
  /** The publisher understands Reason Codes. */
  #canRefuse = false;

  constructor(parts: {
    readonly routes: RouteCache<Route>;
    readonly retained: RetainedMessages;
    readonly shares: Shares;
    readonly store: Store;
    readonly clock: Clock;
    readonly limits: Limits;
    readonly drops: Drops;
  }) {
    this.#routes = parts.routes;
    this.#retained = parts.retained;
    this.#shares = parts.shares;
    this.#store = parts.store;
    this.#clock = parts.clock;
    this.#limits = parts.limits;
    this.#drops = parts.drops;
  }

  /** A PUBLISH from a client, still in the read chunk. */
  publish(session: Session, publish: Publish, topic: Topic, version: ProtocolVersion): ReasonCode {
    this.#publish = publish;
    this.#topic = topic;
    this.#publisher = session.clientIdentifier;
    this.#canRefuse = version === 5;
    this.#kept = undefined;
    this.#frame.fromPublish(publish, topic.bytes, version);
    this.#holdTicket = this.#holdFor(publish, session);
    return this.#dispatch(topic, publish.qos, publish.retain, session);
  }

  /** A message that exists as a value: a will, or what hooks made of `publish`. */
  publishMessage(
    message: ApplicationMessage,
    session: Session | undefined,
    publish?: Publish,
  ): ReasonCode {
    this.ticket = 0;
    const topic = this.#routes.lookupText(message.topicName);
    if (topic === undefined) return ReasonCode.TopicNameInvalid;
    this.#kept = message;
    this.#publisher = message.publisher;
    this.#canRefuse = false;
    this.#holdTicket = publish === undefined ? 0 : this.#holdFor(publish, session!);
    this.#frame.fromMessage(message, this.#clock.wallMs());
    return this.#dispatch(topic, message.qos, message.retain, session);
  }

  /** A message of a share whose member is gone goes to another one. [MQTT-4.8.2-4] */
  passOn(shareName: string, message: ApplicationMessage): boolean {
    const share = this.#shares.get(shareName);
    const member = share && this.#shares.choose(share, message.topicName, message.publisher);
    if (member === undefined || message.expiresAtWallMs <= this.#clock.wallMs()) return false;
    this.#kept = message;
    this.#holdTicket = 0;
    this.#frame.fromMessage(message, this.#clock.wallMs());
    this.#toMember(member.session, Math.min(qosFor(member, message.topicName), message.qos), {
      identifiers: member.identifier > 0 ? [member.identifier] : NO_IDENTIFIERS,
      retain: member.options.retainAsPublished && message.retain,
      share: shareName,
    });
    return true;
  }

  committed(ticket: number): void {
    this.#waitsForCommit = false;
    for (;;) {
      const next = this.#postponed.peek();
      if (next === undefined) return;
      if (next.ticket > ticket) {
        this.#awaitCommit();
        return;
      }
      this.#postponed.shift();
      this.#kept = next.message;
      this.#holdTicket = 0;
      this.#frame.fromMessage(next.message, this.#clock.wallMs());
      this.#sendQoS0(next.session, next.retain, next.identifiers);
    }
  }

  /** Bound once, so that delivering allocates no function. */
  readonly keep: () => ApplicationMessage = () => {
    this.#kept ??= this.#keepPublish();
    return this.#kept;
  };

  /** A crash between sending and committing would send an exactly-once message a second time. */
  #holdFor(publish: Publish, session: Session): number {
    return publish.qos === 2 && session.isStored ? this.#store.openTicket : 0;
  }

  #keepPublish(): ApplicationMessage {
    const publish = this.#publish!;
    const topic = this.#topic!;
    const seconds = publish.messageExpiryIntervalSeconds;
    return new ApplicationMessage(
      topic.name,
      topic.bytes,
      keptPayload(publish),
      forwardedProperties(publish),
      publish.qos,
      publish.retain,
      seconds < 0 ? NEVER_EXPIRES : this.#clock.wallMs() + seconds * 1000,
      this.#publisher,
    );
  }

  #dispatch(topic: Topic, qos: QoS, retain: boolean, session: Session | undefined): ReasonCode {
    this.ticket = 0;
    const { targets, shares } = this.#routes.route(topic as TopicEntry<Route>);
    const refuses = qos > 0 && this.#limits.queueOverflow === 'refuse';
    const members = refuses ? this.#membersWithRoom(shares, topic) : undefined;
    if (refuses && this.#canRefuse && this.#isRefused(targets, shares, topic, members!))
      return ReasonCode.QuotaExceeded;
    if (retain) {
      const isKept = this.#retain(topic);
      // Whoever cannot be told has the message delivered all the same, only not retained.
      if (!isKept && qos > 0 && this.#canRefuse) return ReasonCode.QuotaExceeded;
    }
    for (let i = 0; i < targets.length; i++) {
      const target = targets[i]!;
      if (target.hasNoLocal && target.session === session) {
        if (target.own !== undefined) this.#toTarget(target.own, qos, retain);
      } else this.#toTarget(target, qos, retain);
    }
    for (let i = 0; i < shares.length; i++) {
      const share = shares[i]!;
      const member = members?.[i] ?? this.#shares.choose(share, topic.name, this.#publisher);
      if (member === undefined) continue;
      const granted = qosFor(member, topic.name);
      this.#toMember(member.session, granted < qos ? granted : qos, {
        identifiers: member.identifier > 0 ? [member.identifier] : NO_IDENTIFIERS,
        retain: member.options.retainAsPublished && retain,
        share: share.name,
      });
    }
    this.#publish = undefined;
    const isMatched = targets.length > 0 || shares.length > 0;
    return isMatched ? ReasonCode.Success : ReasonCode.NoMatchingSubscribers;
  }

  /** Asked before anything is delivered, so that a refused message has reached nobody. */
  #isRefused(
    targets: readonly RouteTarget[],
    shares: readonly Share[],
    topic: Topic,
    members: readonly (Subscription | undefined)[],
  ): boolean {
    const bytes = this.#messageBytes();
    for (const { session, qos: granted } of targets) {
      if (granted > 0 && session.outbound.refuses(bytes)) return true;
    }
    for (let i = 0; i < shares.length; i++) {
      if (members[i] !== undefined) continue;
      if (this.#shares.choose(shares[i]!, topic.name, this.#publisher) !== undefined) return true;
    }
    return false;
  }

  #membersWithRoom(shares: readonly Share[], topic: Topic): (Subscription | undefined)[] {
    const bytes = this.#messageBytes();
    return shares.map((share) =>
      this.#shares.chooseWithRoom(share, topic.name, this.#publisher, bytes),
    );
  }

  #messageBytes(): number {
    return this.#frame.topic.length + this.#frame.payloadBytes;
  }

  #retain(topic: Topic): boolean {
    const retained = this.#retained;
    if (this.#frame.payloadBytes === 0) {
      retained.remove(topic.name); // [MQTT-3.3.1-6]
      // Also where there was none: another removal may not be durable yet.
      this.ticket = this.#store.openTicket;
      return true;
    }
    const { payloadBytes, propertyBytes } = this.#frame;
    const bytes = topic.bytes.length + payloadBytes + propertyBytes;
    if (!retained.hasRoomFor(topic.name, bytes)) {
      this.#drops.record(this.#publisher, DropReason.RetainedFull, topic.bytes);
      return false;
    }
    retained.set(this.keep());
    this.ticket = this.#store.openTicket;
    return true;
  }

  #toTarget(target: RouteTarget, qos: QoS, retain: boolean): void {
    const granted = target.qos < qos ? target.qos : qos;
    const flag = target.retainAsPublished && retain; // [MQTT-3.3.1-12] [MQTT-3.3.1-13]
    if (granted > 0) {
      this.#toQueue(target.session, new Delivery(undefined, granted, flag, target.identifiers));
    } else this.#toQoS0(target.session, flag, target.identifiers);
  }

  #toMember(
    session: Session,
    qos: number,
    how: {
      readonly identifiers: readonly number[];
      readonly retain: boolean;
      readonly share: string;
    },
  ): void {
    if (qos === 0) {
      this.#toQoS0(session, how.retain, how.identifiers);
      return;
    }
    const delivery = new Delivery(undefined, qos as QoS, how.retain, how.identifiers);
    delivery.share = how.share;
    this.#toQueue(session, delivery);
  }

  #toQueue(session: Session, delivery: Delivery): void {
    session.outbound.deliver(delivery, this.#frame, this.keep, this.#holdTicket);
    if (session.isStored) this.ticket = this.#store.openTicket;
  }

  #toQoS0(session: Session, retain: boolean, identifiers: readonly number[]): void {
    if (this.#holdTicket === 0) {
      this.#sendQoS0(session, retain, identifiers);
      return;
    }
    const ticket = this.#holdTicket;
    this.#postponed.push({ ticket, message: this.keep(), session, identifiers, retain });
    this.#awaitCommit();
  }

  #sendQoS0(session: Session, retain: boolean, identifiers: readonly number[]): void {
    const sender = session.connection?.sender;
    if (sender === undefined) {
      if (this.#limits.queueQoS0 && session.isStored) {
        this.#toQueue(session, new Delivery(undefined, 0, retain, identifiers));
      } else this.#drop(session, DropReason.Offline);
    } else if (!sender.hasRoomForQoS0) this.#drop(session, DropReason.OutboxFull);
    else if (!sender.sendPublish(this.#frame, publishFlags(false, 0, retain), 0, identifiers)) {
      this.#drop(session, DropReason.PacketTooLarge);
    }
  }

  #drop(session: Session, reason: DropReason): void {
    this.#drops.record(session.clientIdentifier, reason, this.#frame.topic);
  }

  #awaitCommit(): void {
    if (this.#waitsForCommit) return;
    this.#waitsForCommit = true;
    this.#store.afterCommit(this);
  }
}

/** A large packet that came in pieces has a buffer of its own, where its payload may stay. */
function keptPayload(publish: Publish): Uint8Array {
  const { bytes, payloadStart, packetEnd } = publish;
  const isWorthIt = publish.isOwned && packetEnd - payloadStart >= OWNED_PAYLOAD_BYTES_MIN;
  return isWorthIt ? bytes.subarray(payloadStart, packetEnd) : keep(bytes, payloadStart, packetEnd);
}
