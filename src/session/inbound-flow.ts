import { isUtf8 } from '../base/utf8.js';
import { InboundTopicAliases } from '../topic/topic-alias.js';
import type { PacketBytes } from '../wire/byte-reader.js';
import {
  type Acknowledgement,
  type AcknowledgementType,
  PacketType,
  type Subscribe,
  type Unsubscribe,
} from '../wire/control-packet.js';
import { decode } from '../wire/decode.js';
import { decodePublish } from '../wire/decode-publish.js';
import { encode } from '../wire/encode.js';
import { keep } from '../wire/keep.js';
import { ProtocolViolation } from '../wire/protocol-violation.js';
import type { Publish } from '../wire/publish.js';
import { isFailure, ReasonCode } from '../wire/reason-code.js';
import type { Acknowledgements } from './acknowledgements.js';
import type { Connection } from './connection.js';
import type { ConnectionContext } from './connection-context.js';
import type { ResentPacket } from './delivery-watch.js';
import { ResentSubscribes, type Way, withoutReplay } from './resent-subscribes.js';
import type { Session } from './session.js';
import type { Topic } from './topic.js';

/** What comes from a connected client: the receiver half of QoS 1 and 2, and its requests. */
export class InboundFlow {
  readonly #connection: Connection;
  readonly #session: Session;
  readonly #acknowledgements: Acknowledgements;
  readonly #context: ConnectionContext;
  #aliases: InboundTopicAliases<Topic> | undefined = undefined;
  /** The last one, and whether the one before it was the same: most clients have but one. */
  #topicBefore: Topic | undefined = undefined;
  #repeatsTopic = false;
  #toldOfRetransmission = false;
  readonly #subscribes = new ResentSubscribes();
  readonly #beganMs: number;
  /** From CONNACK to the first SUBSCRIBE; 0 before it, infinite where it was not waited for. */
  #roundTripMs = 0;

  constructor(
    connection: Connection,
    session: Session,
    acknowledgements: Acknowledgements,
    context: ConnectionContext,
  ) {
    this.#connection = connection;
    this.#session = session;
    this.#acknowledgements = acknowledgements;
    this.#context = context;
    this.#beganMs = context.clock.nowMs;
  }

  publish(source: PacketBytes): void {
    const { publish, host, statistics } = this.#context;
    const connection = this.#connection;
    decodePublish(publish, source, connection.version);
    statistics.publishReceived++;
    const topic = this.#topic(publish);
    if (publish.qos > 0) {
      if (this.#isRepeated(publish)) return;
      this.#subscribes.used(publish.packetIdentifier);
    }
    this.#check(publish);
    if (this.#isMislabelled(publish)) {
      this.#route(publish, topic, ReasonCode.PayloadFormatInvalid);
      return;
    }
    const decision = host.authorizePublish(connection, publish, topic);
    if (!(decision instanceof Promise)) {
      this.#route(publish, topic, decision);
      return;
    }
    const kept = keepPacket(source);
    connection.decide(decision, (reasonCode) => {
      decodePublish(publish, kept, connection.version);
      this.#route(publish, topic, reasonCode);
    });
  }

  acknowledgement(source: PacketBytes, type: AcknowledgementType): void {
    const { bytes, bodyStart, packetEnd, packetStart } = source;
    const { outbound } = this.#session;
    this.#connection.outbox.trust.answered();
    let identifier: number;
    let reasonCode: ReasonCode = ReasonCode.Success;
    const expectedFlags = type === PacketType.PUBREL ? 0x02 : 0;
    if (packetEnd - bodyStart === 2 && (bytes[packetStart]! & 0x0f) === expectedFlags) {
      identifier = (bytes[bodyStart]! << 8) | bytes[bodyStart + 1]!;
    } else {
      const packet = decode(source, this.#connection.version, 'client') as Acknowledgement;
      identifier = packet.packetIdentifier;
      reasonCode = packet.reasonCode;
    }
    switch (type) {
      case PacketType.PUBACK:
        outbound.acknowledged(identifier);
        break;
      case PacketType.PUBREC:
        outbound.received(identifier, isFailure(reasonCode));
        break;
      case PacketType.PUBCOMP:
        outbound.completed(identifier);
        break;
      case PacketType.PUBREL:
        this.#released(identifier);
        break;
    }
    if (this.#session.awaitsRetained) this.#context.host.roomAgain(this.#connection);
  }

  subscribe(written: Subscribe): void {
    const connection = this.#connection;
    const { host, clock } = this.#context;
    const meant = connection.policy.mountPoint?.subscribe(written) ?? written;
    const isResent = this.#subscribes.isResent(meant, clock.nowMs, this.#way());
    if (isResent) this.#countResent();
    const subscribe = isResent ? withoutReplay(meant) : meant;
    connection.decide(host.authorizeSubscribe(connection, subscribe), (authorizations) => {
      const reasonCodes = host.subscribe(connection, subscribe, authorizations);
      const { packetIdentifier } = subscribe;
      const suback = encode(
        { type: PacketType.SUBACK, packetIdentifier, reasonCodes },
        connection.version,
      );
      this.#answer(suback, () => {
        const { sentOrder } = this.#session.outbound.progress;
        const { unprovenBytes } = connection.outbox.trust;
        this.#subscribes.answered(packetIdentifier, clock.nowMs, sentOrder, unprovenBytes);
        host.subscribed(connection);
      });
    });
  }

  /** A SUBSCRIBE that has not come along with CONNECT answers CONNACK. */
  #way(): Way {
    const { progress, watch } = this.#session.outbound;
    const afterMs = this.#connection.heardMs - this.#beganMs;
    if (this.#roundTripMs === 0)
      this.#roundTripMs = afterMs > 0 ? afterMs : Number.POSITIVE_INFINITY;
    const roundTripMs = Math.min(this.#roundTripMs, watch?.quickestMs ?? Number.POSITIVE_INFINITY);
    return {
      roundTripMs: roundTripMs === Number.POSITIVE_INFINITY ? undefined : roundTripMs,
      progress,
    };
  }

  unsubscribe(written: Unsubscribe): void {
    const connection = this.#connection;
    const { host } = this.#context;
    const { packetIdentifier } = written;
    this.#subscribes.used(packetIdentifier);
    const unsubscribe = connection.policy.mountPoint?.unsubscribe(written) ?? written;
    const reasonCodes = host.unsubscribe(connection, unsubscribe);
    const unsuback = encode(
      { type: PacketType.UNSUBACK, packetIdentifier, reasonCodes },
      connection.version,
    );
    this.#answer(unsuback);
  }

  /**
   * SUBACK or UNSUBACK: without it the client would wait for ever, so one too large ends the
   * connection.
   */
  #answer(packet: Uint8Array, sent?: () => void): void {
    if (this.#connection.fits(packet)) {
      this.#acknowledgements.answer(packet, this.#context.host.ticket, sent);
      this.#throttle();
      return;
    }
    throw new ProtocolViolation(
      ReasonCode.PacketTooLarge,
      `The answer has ${packet.length} bytes, more than the client's Maximum Packet Size`,
      'MQTT-3.1.2-24',
    );
  }

  #route(publish: Publish, topic: Topic, authorization: ReasonCode): void {
    const { host, store } = this.#context;
    const { qos, packetIdentifier } = publish;
    const session = this.#session;
    let reasonCode = authorization;
    let ticket = 0;
    if (!isFailure(authorization)) {
      const isStoredExactlyOnce = qos === 2 && session.isStored;
      if (qos === 2) session.markReceived(packetIdentifier);
      if (isStoredExactlyOnce) store.received(session.number, packetIdentifier);
      reasonCode = host.publish(this.#connection, publish, topic);
      ticket = isStoredExactlyOnce ? store.openTicket : host.ticket;
      if (qos === 2 && isFailure(reasonCode)) {
        session.forgetReceived(packetIdentifier);
        if (isStoredExactlyOnce) store.completed(session.number, packetIdentifier);
      }
    }
    if (qos === 0) return;
    const type = qos === 1 ? PacketType.PUBACK : PacketType.PUBREC;
    this.#acknowledgements.acknowledge(type, packetIdentifier, reasonCode, ticket);
    this.#throttle();
  }

  #released(packetIdentifier: number): void {
    const session = this.#session;
    const { store } = this.#context;
    const wasReceived = session.forgetReceived(packetIdentifier);
    if (wasReceived && session.isStored) store.completed(session.number, packetIdentifier);
    // A PUBCOMP before this is durable would let a restart take the identifier's next message for a
    // copy. A PUBREL that came on an earlier connection may not be durable either.
    const ticket = session.isStored ? store.openTicket : 0;
    if (!wasReceived) {
      this.#noteResent('PUBREL', packetIdentifier);
      this.#countResent();
    }
    const reasonCode = wasReceived ? ReasonCode.Success : ReasonCode.PacketIdentifierNotFound;
    this.#acknowledgements.acknowledge(PacketType.PUBCOMP, packetIdentifier, reasonCode, ticket);
    this.#throttle();
  }

  #topic(publish: Publish): Topic {
    const { topicAlias, topicStart, topicEnd } = publish;
    if (topicEnd === topicStart) {
      const topic = this.#aliases?.get(topicAlias);
      if (topic === undefined) {
        throw new ProtocolViolation(
          ReasonCode.TopicAliasInvalid,
          `Topic Alias ${topicAlias} was never given a Topic Name on this connection`,
          'MQTT-3.3.2-8',
        );
      }
      return topic;
    }
    const topic = this.#named(publish.bytes, topicStart, topicEnd);
    if (topic === undefined) return invalidTopic(publish);
    if (topicAlias > 0) this.#setAlias(topicAlias, topic);
    return topic;
  }

  #named(bytes: Uint8Array, start: number, end: number): Topic | undefined {
    const { host } = this.#context;
    const { mountPoint } = this.#connection.policy;
    const before = this.#topicBefore;
    const likely = this.#repeatsTopic ? before : undefined;
    const name = mountPoint?.topicName(bytes, start, end);
    const topic =
      name === undefined
        ? host.topic(bytes, start, end, likely)
        : host.topic(name, 0, name.length, likely);
    this.#repeatsTopic = topic === before;
    if (topic !== before) this.#topicBefore = topic;
    return topic;
  }

  #setAlias(alias: number, topic: Topic): void {
    const maximum = this.#connection.limits.topicAliasMaximum;
    if (alias > maximum) {
      throw new ProtocolViolation(
        ReasonCode.TopicAliasInvalid,
        `Topic Alias ${alias} is above the Topic Alias Maximum of ${maximum}`,
        'MQTT-3.3.2-9',
      );
    }
    this.#aliases ??= new InboundTopicAliases(maximum);
    this.#aliases.set(alias, topic);
  }

  /**
   * A QoS 2 message that was received before is acknowledged and not routed again, whatever its DUP
   * flag says; so is a QoS 1 message whose PUBACK is on its way. [MQTT-4.3.3-10]
   */
  #isRepeated(publish: Publish): boolean {
    const { qos, packetIdentifier, dup } = publish;
    const acknowledgements = this.#acknowledgements;
    if (qos === 2) {
      if (!this.#session.hasReceived(packetIdentifier)) return false;
      if (!acknowledgements.isWaiting(PacketType.PUBREC, packetIdentifier)) {
        // It may have come on an earlier connection a moment ago, and not be durable yet.
        const ticket = this.#session.isStored ? this.#context.store.openTicket : 0;
        const { Success } = ReasonCode;
        acknowledgements.acknowledge(PacketType.PUBREC, packetIdentifier, Success, ticket);
      }
    } else {
      if (!dup) return false;
      this.#noteResent('PUBLISH', packetIdentifier);
      if (!acknowledgements.isWaiting(PacketType.PUBACK, packetIdentifier)) return false;
    }
    this.#noteResent('PUBLISH', packetIdentifier);
    this.#countResent();
    this.#tellOfRetransmission(dup);
    return true;
  }

  #countResent(): void {
    this.#context.statistics.resentReceived++;
    const { watching } = this.#session.outbound;
    if (watching !== undefined) watching.device.duplicates++;
  }

  /** The first one of a connection: the same on each of them is a client that goes in circles. */
  #noteResent(type: ResentPacket['type'], packetIdentifier: number): void {
    const { watching } = this.#session.outbound;
    if (watching !== undefined) watching.firstResent ??= { type, packetIdentifier };
  }

  /** Once a connection: some client libraries send everything unacknowledged again every second. */
  #tellOfRetransmission(dup: boolean): void {
    if (this.#toldOfRetransmission || !dup || this.#connection.version !== 5) return;
    this.#toldOfRetransmission = true;
    const { clientIdentifier } = this.#connection;
    this.#context.log.info(
      { event: 'retransmission', client: clientIdentifier },
      `Client ${clientIdentifier} sends PUBLISH again without reconnecting; MQTT 5 does not allow it, it is tolerated`,
    );
  }

  #check(publish: Publish): void {
    const { limits } = this.#connection;
    if (publish.qos > limits.qosMax) {
      throw new ProtocolViolation(
        ReasonCode.QoSNotSupported,
        `QoS ${publish.qos} is above the Maximum QoS of ${limits.qosMax}`,
        'MQTT-3.2.2-11',
      );
    }
    if (publish.retain && !limits.retainAvailable) {
      throw new ProtocolViolation(
        ReasonCode.RetainNotSupported,
        'Retained messages are switched off on this server',
        'MQTT-3.2.2-14',
      );
    }
    if (publish.qos === 2) this.#checkReceiveMaximum(limits.receiveMaximum);
  }

  /** Where the payload is not the UTF-8 it says: a refusal at QoS 1 and 2, which have an answer. */
  #isMislabelled(publish: Publish): boolean {
    if (!this.#context.limits.checkPayloadFormat || publish.payloadFormatIndicator === 0)
      return false;
    if (isUtf8(publish.bytes, publish.payloadStart, publish.packetEnd)) return false;
    if (publish.qos > 0) return true;
    throw new ProtocolViolation(
      ReasonCode.PayloadFormatInvalid,
      'The payload is not the UTF-8 that its Payload Format Indicator promises',
    );
  }

  /**
   * QoS 2 alone: what is open there is in the client's hands, whereas a PUBACK may be late because
   * of our disk. 5.0 only: earlier clients were never told of a limit. [MQTT-3.3.4-7]
   */
  #checkReceiveMaximum(receiveMaximum: number): void {
    const connection = this.#connection;
    if (connection.version !== 5 || connection.policy.lenientReceiveMaximum) return;
    if (this.#session.receivedCount < receiveMaximum) return;
    throw new ProtocolViolation(
      ReasonCode.ReceiveMaximumExceeded,
      `More than ${receiveMaximum} QoS 2 messages wait for their PUBREL at once`,
      'MQTT-3.3.4-9',
    );
  }

  /** Too many answers wait for the disk: nothing more is read until some have left. */
  #throttle(): void {
    const { receiveMaximum } = this.#connection.limits;
    if (this.#acknowledgements.waiting < receiveMaximum) return;
    const connection = this.#connection;
    connection.suspend();
    this.#acknowledgements.whenBelow(receiveMaximum, () => connection.resume());
  }
}

function invalidTopic(publish: Publish): never {
  const isText = isUtf8(publish.bytes, publish.topicStart, publish.topicEnd);
  throw new ProtocolViolation(
    isText ? ReasonCode.TopicNameInvalid : ReasonCode.MalformedPacket,
    isText
      ? 'The Topic Name has a wildcard, or is longer or deeper than this server allows'
      : 'The Topic Name is not well-formed UTF-8',
    isText ? 'MQTT-3.3.2-2' : 'MQTT-3.3.2-1',
  );
}

function keepPacket(source: PacketBytes): PacketBytes {
  const { packetStart } = source;
  return {
    bytes: keep(source.bytes, packetStart, source.packetEnd),
    packetStart: 0,
    bodyStart: source.bodyStart - packetStart,
    packetEnd: source.packetEnd - packetStart,
  };
}
