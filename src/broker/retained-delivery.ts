import type { Clock, EndOfTick, TickTask } from '../base/clock.js';
import { DENIED } from '../session/client-access.js';
import type { Connection } from '../session/connection.js';
import { Delivery } from '../session/delivery.js';
import type { Drops } from '../session/drops.js';
import { publishFlags } from '../session/receiver.js';
import type { Session } from '../session/session.js';
import { DropReason } from '../session/statistics.js';
import { qosFor, type Subscription } from '../session/subscription.js';
import type { TopicFilter } from '../topic/topic-filter.js';
import type { ApplicationMessage } from '../wire/application-message.js';
import type { QoS } from '../wire/control-packet.js';
import { PublishFrame } from '../wire/publish-frame.js';
import type { RetainedMessages } from './retained.js';

/** The retained messages that one Subscription has still to get. */
interface Flood {
  readonly subscription: Subscription;
  /** Undefined is a pause in a long search. */
  readonly messages: Iterator<ApplicationMessage | undefined, void>;
}

/** Messages and pauses of one Session in one tick: whatever it searches, others have their turn. */
const TURNS_MAX = 2000;

/**
 * Retained messages for new Subscriptions, pulled as the client's socket and quota take them: a
 * flood of any size is neither buffered nor counted against the client's queue.
 */
export class RetainedDelivery implements TickTask {
  readonly #endOfTick: EndOfTick;
  readonly #retained: RetainedMessages;
  readonly #clock: Clock;
  readonly #drops: Drops;
  readonly #frame = new PublishFrame();
  /** By Topic Filter, so that one who subscribes again and again has one flood all the same. */
  readonly #waiting = new Map<Session, Map<string, Flood>>();

  /** They had their turns of this tick and go on at its end. */
  #unfinished = new Set<Session>();

  constructor(parts: {
    readonly retained: RetainedMessages;
    readonly clock: Clock;
    readonly endOfTick: EndOfTick;
    readonly drops: Drops;
  }) {
    this.#endOfTick = parts.endOfTick;
    this.#drops = parts.drops;
    this.#retained = parts.retained;
    this.#clock = parts.clock;
  }

  /** Notes what is due by Retain Handling; nothing is sent before `pump`. */
  begin(
    connection: Connection,
    subscription: Subscription,
    parsed: TopicFilter,
    existed: boolean,
  ): void {
    const { retainHandling } = subscription.options;
    if (parsed.shareName !== undefined) return;
    // [MQTT-3.3.1-10] [MQTT-3.3.1-11]
    if (retainHandling === 2 || (retainHandling === 1 && existed)) return;
    const session = connection.session!;
    const publisher = subscription.options.noLocal ? session.clientIdentifier : undefined;
    const messages = this.#retained.matching(parsed.topicFilter, publisher);
    session.awaitsRetained = true;
    let floods = this.#waiting.get(session);
    if (floods === undefined) {
      floods = new Map();
      this.#waiting.set(session, floods);
    }
    floods.delete(subscription.topicFilter);
    floods.set(subscription.topicFilter, { subscription, messages });
  }

  /** Sends what fits. Called behind SUBACK, and when the client has room again. */
  pump(session: Session): void {
    const floods = this.#waiting.get(session);
    if (floods === undefined || this.#unfinished.has(session)) return;
    let turns = 0;
    for (const [topicFilter, { subscription, messages }] of floods) {
      for (;;) {
        if (!canTake(session)) return;
        if (turns++ === TURNS_MAX) {
          this.#goOnLater(session);
          return;
        }
        const next = messages.next();
        if (next.done === true) break;
        if (next.value !== undefined) this.#give(session, subscription, next.value);
      }
      floods.delete(topicFilter);
    }
    this.forget(session);
  }

  endOfTick(): void {
    const sessions = this.#unfinished;
    this.#unfinished = new Set();
    for (const session of sessions) this.pump(session);
  }

  /** UNSUBSCRIBE: nothing more is sent for the filter. [MQTT-3.10.4-3] */
  unsubscribed(session: Session, topicFilter: string): void {
    const floods = this.#waiting.get(session);
    if (floods === undefined) return;
    floods.delete(topicFilter);
    if (floods.size === 0) this.forget(session);
  }

  /**
   * The client is gone: a stored Session gets the rest of its QoS 1 and 2 messages by its queue, as
   * far as they have room there. They drive out nothing, least of all each other.
   */
  clientGone(session: Session): void {
    if (session.isStored) this.pump(session);
    else this.forget(session);
  }

  /** Nothing is due to the Session any more. */
  forget(session: Session): void {
    this.#waiting.delete(session);
    session.awaitsRetained = false;
  }

  #goOnLater(session: Session): void {
    if (this.#unfinished.size === 0) this.#endOfTick.flush(this);
    this.#unfinished.add(session);
  }

  #give(session: Session, subscription: Subscription, message: ApplicationMessage): void {
    const allowed = qosFor(subscription, message.topicName);
    if (allowed === DENIED) return;
    const qos = lower(allowed, message.qos);
    if (session.connection === undefined) this.#keep(session, subscription, message, qos);
    else if (qos > 0) this.#queue(session, subscription, message, qos);
    else this.#send(session, subscription, message);
  }

  #keep(session: Session, subscription: Subscription, message: ApplicationMessage, qos: QoS): void {
    const { outbound, clientIdentifier } = session;
    if (qos === 0) return;
    if (outbound.queue.isFull(outbound.waiting, message.bytes)) {
      this.#drops.record(clientIdentifier, DropReason.QueueFull, message.topicBytes);
    } else this.#queue(session, subscription, message, qos);
  }

  #send(session: Session, subscription: Subscription, message: ApplicationMessage): void {
    const sender = session.connection!.sender!;
    this.#frame.fromMessage(message, this.#clock.wallMs());
    const flags = publishFlags(false, 0, true); // [MQTT-3.3.1-8]
    const isSent = sender.sendPublish(this.#frame, flags, 0, identifiersOf(subscription));
    if (isSent) return;
    const { clientIdentifier } = session;
    this.#drops.record(clientIdentifier, DropReason.PacketTooLarge, message.topicBytes);
  }

  #queue(
    session: Session,
    subscription: Subscription,
    message: ApplicationMessage,
    qos: QoS,
  ): void {
    this.#frame.fromMessage(message, this.#clock.wallMs());
    const delivery = new Delivery(undefined, qos, true, identifiersOf(subscription));
    session.outbound.deliver(delivery, this.#frame, () => message, 0);
  }
}

/** Whether the client takes a message now; for one that is away its queue does. */
function canTake({ connection, outbound }: Session): boolean {
  if (connection === undefined) return true;
  return connection.sender?.hasRoom === true && outbound.isClear;
}

function identifiersOf(subscription: Subscription): readonly number[] {
  return subscription.identifier > 0 ? [subscription.identifier] : [];
}

function lower(one: QoS, other: QoS): QoS {
  return one < other ? one : other;
}
