import type { Clock } from '../base/clock.js';
import type { Connection } from '../session/connection.js';
import { Delivery } from '../session/delivery.js';
import type { Drops } from '../session/drops.js';
import { publishFlags } from '../session/receiver.js';
import type { Session } from '../session/session.js';
import { DropReason } from '../session/statistics.js';
import type { Subscription } from '../session/subscription.js';
import type { TopicFilter } from '../topic/topic-filter.js';
import type { ApplicationMessage } from '../wire/application-message.js';
import type { QoS } from '../wire/control-packet.js';
import { PublishFrame } from '../wire/publish-frame.js';
import type { RetainedMessages } from './retained.js';

/** The retained messages that one Subscription has still to get. */
interface Flood {
  readonly subscription: Subscription;
  readonly messages: Iterator<ApplicationMessage, void>;
}

/**
 * Retained messages for new Subscriptions, pulled as the client's socket and quota take them: a
 * flood of any size is neither buffered nor counted against the client's queue.
 */
export class RetainedDelivery {
  readonly #retained: RetainedMessages;
  readonly #clock: Clock;
  readonly #drops: Drops;
  readonly #frame = new PublishFrame();
  /** By Topic Filter, so that one who subscribes again and again has one flood all the same. */
  readonly #waiting = new Map<Session, Map<string, Flood>>();

  constructor(retained: RetainedMessages, clock: Clock, drops: Drops) {
    this.#drops = drops;
    this.#retained = retained;
    this.#clock = clock;
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
    if (floods === undefined) return;
    for (const [topicFilter, { subscription, messages }] of floods) {
      for (;;) {
        if (!this.#canSend(session)) return;
        const next = messages.next();
        if (next.done === true) break;
        this.#send(session, subscription, next.value);
      }
      floods.delete(topicFilter);
    }
    this.#forget(session);
  }

  /** UNSUBSCRIBE: nothing more is sent for the filter. [MQTT-3.10.4-3] */
  unsubscribed(session: Session, topicFilter: string): void {
    const floods = this.#waiting.get(session);
    if (floods === undefined) return;
    floods.delete(topicFilter);
    if (floods.size === 0) this.#forget(session);
  }

  /**
   * The client is gone: a stored Session gets the rest of its QoS 1 and 2 messages by its queue, as
   * far as they have room there. They drive out nothing, least of all each other.
   */
  end(session: Session): void {
    const floods = this.#waiting.get(session);
    if (floods === undefined) return;
    this.#forget(session);
    if (!session.isStored) return;
    const { outbound, clientIdentifier } = session;
    for (const { subscription, messages } of floods.values()) {
      for (let next = messages.next(); next.done !== true; next = messages.next()) {
        const message = next.value;
        const qos = lower(subscription.options.qos, message.qos);
        if (qos === 0) continue;
        if (outbound.queue.isFull(outbound.waiting, message.bytes)) {
          this.#drops.record(clientIdentifier, DropReason.QueueFull, message.topicBytes);
        } else this.#queue(session, subscription, message, qos);
      }
    }
  }

  #forget(session: Session): void {
    this.#waiting.delete(session);
    session.awaitsRetained = false;
  }

  #canSend(session: Session): boolean {
    const sender = session.connection?.sender;
    return sender?.hasRoom === true && session.outbound.isClear;
  }

  #send(session: Session, subscription: Subscription, message: ApplicationMessage): void {
    const qos = lower(subscription.options.qos, message.qos);
    if (qos > 0) {
      this.#queue(session, subscription, message, qos);
      return;
    }
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

function identifiersOf(subscription: Subscription): readonly number[] {
  return subscription.identifier > 0 ? [subscription.identifier] : [];
}

function lower(one: QoS, other: QoS): QoS {
  return one < other ? one : other;
}
