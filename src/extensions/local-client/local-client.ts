import { unreachable } from '../../base/assert.js';
import { type EndOfTick, TimerEntry, type Timers } from '../../base/clock.js';
import type { Broker } from '../../broker/broker.js';
import { defaultListenerPolicy } from '../../session/limits.js';
import {
  type Connack,
  PacketType,
  type PublishPacket,
  type QoS,
} from '../../wire/control-packet.js';
import { decode } from '../../wire/decode.js';
import { encode } from '../../wire/encode.js';
import { Framer } from '../../wire/framer.js';
import { isFailure, ReasonCode } from '../../wire/reason-code.js';
import { LocalClientError } from './local-client-error.js';
import { Delivery } from './local-message.js';
import { LocalNetwork } from './local-network.js';
import { LocalSubscription, type Qos0Bounds } from './local-subscription.js';
import type { LocalClientOptions, LocalPublishOptions, LocalSubscribeOptions } from './options.js';
import {
  connectPacket,
  judgePublish,
  judgeSubscribe,
  publishPacket,
  subscribePacket,
} from './packets.js';
import { Requests, tooLarge } from './requests.js';
import { Subscriptions } from './subscriptions.js';

const QOS0_MESSAGES_MAX = 1000;
const QOS0_BYTES_MAX = 8 * 1024 * 1024;
/** Remaining Length has no more, and the Fixed Header five bytes. */
const PACKET_BYTES_MAX = 268_435_460;

/** These ends are the broker's or our own wish: loops over messages just end. */
const ORDERLY_ENDS: ReadonlySet<ReasonCode> = new Set([
  ReasonCode.NormalDisconnection,
  ReasonCode.ServerShuttingDown,
  ReasonCode.UseAnotherServer,
  ReasonCode.ServerMoved,
]);

export interface LocalClientParts {
  readonly broker: Pick<Broker, 'accept' | 'limits'>;
  readonly endOfTick: EndOfTick;
  readonly timers: Timers;
}

/** Why and how a `LocalClient` came to its end. */
export interface LocalClientEnd {
  readonly reasonCode: ReasonCode;
  readonly sentence: string;
}

/**
 * An MQTT 5.0 client inside the broker's process: it sends and receives the same packets as any
 * other one, through the same hooks, limits and queues, and only the socket is missing. Hooks see
 * the address `local`.
 */
export class LocalClient {
  /**
   * Resolves when the connection has ended, by `close()` or from the broker's side. Never rejects.
   */
  readonly closed: Promise<LocalClientEnd>;
  readonly #parts: LocalClientParts;
  readonly #network: LocalNetwork;
  readonly #framer = new Framer(PACKET_BYTES_MAX);
  readonly #requests: Requests;
  readonly #subscriptions = new Subscriptions();
  readonly #bounds: Qos0Bounds;
  readonly #ping: TimerEntry;
  #keepAliveMs = 0;
  #clientIdentifier: string;
  #connack: Connack | undefined = undefined;
  #connected: (error: LocalClientError | undefined) => void = () => {};
  #tellClosed: (end: LocalClientEnd) => void = () => {};
  #end: LocalClientEnd | undefined = undefined;
  #isClosing = false;
  #isClosed = false;

  private constructor(parts: LocalClientParts, options: LocalClientOptions) {
    this.#parts = parts;
    this.#clientIdentifier = options.clientIdentifier ?? '';
    this.#bounds = {
      messagesMax: options.qos0MessagesMax ?? QOS0_MESSAGES_MAX,
      bytesMax: options.qos0BytesMax ?? QOS0_BYTES_MAX,
    };
    this.#network = new LocalNetwork(parts.endOfTick, {
      received: (bytes) => this.#received(bytes),
      ended: () => this.#ended(),
    });
    this.#requests = new Requests((bytes) => this.#network.send(bytes));
    this.#ping = new TimerEntry(() => this.#sendPing());
    this.closed = new Promise((resolve) => {
      this.#tellClosed = resolve;
    });
  }

  /** Rejects with a `LocalClientError` when the broker refuses the client. */
  static connect(parts: LocalClientParts, options: LocalClientOptions): Promise<LocalClient> {
    return new Promise((resolve, reject) => {
      const bytes = encode(connectPacket(options), 5);
      const client = new LocalClient(parts, options);
      client.#connected = (error) => {
        if (error === undefined) resolve(client);
        else reject(error);
      };
      const network = client.#network;
      network.serve(parts.broker.accept(network, defaultListenerPolicy));
      network.send(bytes);
    });
  }

  /** As assigned by the broker where the options had none. */
  get clientIdentifier(): string {
    return this.#clientIdentifier;
  }

  /**
   * Whether a Session was there before. Subscribe to all of its Topic Filters again, in any order:
   * QoS 1 and 2 messages that it holds wait for that, and use up Receive Maximum meanwhile.
   */
  get sessionPresent(): boolean {
    return this.#connack?.sessionPresent === true;
  }

  /**
   * Resolves with the Reason Code: at QoS 0 when the broker has taken the message, at QoS 1 when
   * its PUBACK and at QoS 2 when its PUBCOMP has come, which is when what the broker must keep is
   * durable. Rejects with a `LocalClientError` when the broker refuses the message (at QoS 0 a hook
   * refuses in silence), and when the connection ends before: then the message may or may not have
   * been delivered. A publisher that awaits each call, or a bounded number of them, is slowed down
   * as the broker needs it.
   */
  async publish(
    topicName: string,
    payload: string | Uint8Array,
    options: LocalPublishOptions = {},
  ): Promise<ReasonCode> {
    const connack = this.#open();
    const packet = publishPacket(topicName, payload, options);
    const refusal = judgePublish(packet, connack, this.#parts.broker.limits);
    if (refusal !== undefined) throw refusal;
    return packet.qos === 0 ? this.#publishQos0(packet) : this.#requests.submit(packet);
  }

  /**
   * Resolves when the broker has granted it; the messages are read by a loop over the result. Each
   * of several Subscriptions that a message matches gets it. Those with the same Topic Filter share
   * the options of the last one.
   */
  async subscribe(
    topicFilter: string,
    options: LocalSubscribeOptions = {},
  ): Promise<LocalSubscription> {
    const connack = this.#open();
    const refusal = judgeSubscribe(topicFilter, options, connack, this.#parts.broker.limits);
    if (refusal !== undefined) throw refusal;
    const subscriptions = this.#subscriptions;
    const subscription = new LocalSubscription(topicFilter, this.#bounds, () =>
      this.#unsubscribe(subscription),
    );
    // Messages may come before SUBACK.
    const identifier = subscriptions.add(subscription);
    try {
      const packet = subscribePacket(topicFilter, identifier, options);
      const granted = await this.#requests.submit(packet);
      subscription.granted(granted as QoS);
    } catch (error) {
      subscriptions.remove(subscription);
      throw error;
    }
    subscriptions.claim(subscription);
    return subscription;
  }

  /**
   * Ends the connection as DISCONNECT does: no will is published. Loops end; calls still waiting
   * for an answer reject. Messages that no loop had finished with stay in the Session, if it is
   * kept.
   */
  async close(): Promise<void> {
    if (!this.#isClosing && !this.#isClosed) {
      this.#isClosing = true;
      const reasonCode = ReasonCode.NormalDisconnection;
      this.#network.send(encode({ type: PacketType.DISCONNECT, reasonCode }, 5));
    }
    await this.closed;
  }

  #open(): Connack {
    if (this.#isClosing || this.#isClosed || this.#connack === undefined) throw this.#closedError();
    return this.#connack;
  }

  #publishQos0(packet: PublishPacket): Promise<ReasonCode> {
    const bytes = encode(packet, 5);
    const bytesMax = this.#connack?.maximumPacketSizeBytes ?? PACKET_BYTES_MAX;
    if (bytes.length > bytesMax) return Promise.reject(tooLarge(bytes.length, bytesMax));
    return new Promise((resolve, reject) => {
      this.#network.send(bytes, (taken) => {
        if (taken) resolve(ReasonCode.Success);
        else reject(this.#closedError());
      });
    });
  }

  async #unsubscribe(subscription: LocalSubscription): Promise<void> {
    const isLast = this.#subscriptions.remove(subscription);
    if (!isLast || this.#isClosing || this.#isClosed) return;
    await this.#requests.submit({
      type: PacketType.UNSUBSCRIBE,
      packetIdentifier: 0,
      userProperties: [],
      topicFilters: [subscription.topicFilter],
    });
  }

  #received(bytes: Uint8Array): void {
    const framer = this.#framer;
    framer.push(bytes);
    while (framer.next()) this.#packet();
  }

  #packet(): void {
    const packet = decode(this.#framer, 5, 'server');
    switch (packet.type) {
      case PacketType.CONNACK:
        this.#accepted(packet);
        return;
      case PacketType.PUBLISH:
        this.#subscriptions.deliver(
          new Delivery(packet, (delivery) => this.#acknowledge(delivery)),
          packet.subscriptionIdentifiers ?? [],
        );
        return;
      case PacketType.PUBREL:
        this.#complete(packet.packetIdentifier);
        return;
      case PacketType.PUBACK:
      case PacketType.PUBREC:
      case PacketType.PUBCOMP:
      case PacketType.SUBACK:
      case PacketType.UNSUBACK:
        this.#requests.answered(packet);
        return;
      case PacketType.DISCONNECT: {
        const { reasonCode, reasonString } = packet;
        this.#end = { reasonCode, sentence: reasonString ?? 'the broker ended the connection' };
        return;
      }
      case PacketType.PINGRESP:
      case PacketType.AUTH:
      case PacketType.CONNECT:
      case PacketType.SUBSCRIBE:
      case PacketType.UNSUBSCRIBE:
      case PacketType.PINGREQ:
        return;
      default:
        unreachable(packet);
    }
  }

  #accepted(connack: Connack): void {
    const { reasonCode, reasonString } = connack;
    if (isFailure(reasonCode)) {
      const sentence = reasonString ?? 'the broker refused the client';
      this.#end = { reasonCode, sentence };
      this.#connected(new LocalClientError('refused', reasonCode, sentence));
      return;
    }
    this.#connack = connack;
    this.#clientIdentifier = connack.assignedClientIdentifier ?? this.#clientIdentifier;
    this.#requests.begin(
      connack.receiveMaximum ?? 65_535,
      connack.maximumPacketSizeBytes ?? PACKET_BYTES_MAX,
      connack.sessionPresent,
    );
    if (connack.sessionPresent) this.#subscriptions.resumed();
    this.#keepAliveMs = (connack.serverKeepAliveSeconds ?? 0) * 1000;
    this.#armPing();
    this.#connected(undefined);
  }

  /** A loop has done with it. */
  #acknowledge({ packetIdentifier, message }: Delivery): void {
    const type = message.qos === 1 ? PacketType.PUBACK : PacketType.PUBREC;
    const reasonCode = ReasonCode.Success;
    this.#network.send(encode({ type, packetIdentifier, reasonCode }, 5));
  }

  #complete(packetIdentifier: number): void {
    const reasonCode = ReasonCode.Success;
    this.#network.send(encode({ type: PacketType.PUBCOMP, packetIdentifier, reasonCode }, 5));
  }

  #armPing(): void {
    if (this.#keepAliveMs > 0) this.#parts.timers.arm(this.#ping, this.#keepAliveMs);
  }

  #sendPing(): void {
    this.#network.send(encode({ type: PacketType.PINGREQ }, 5));
    this.#armPing();
  }

  #ended(): void {
    this.#isClosed = true;
    this.#parts.timers.disarm(this.#ping);
    this.#end ??= this.#isClosing
      ? { reasonCode: ReasonCode.NormalDisconnection, sentence: 'the client was closed' }
      : { reasonCode: ReasonCode.UnspecifiedError, sentence: 'the broker ended the connection' };
    const error = this.#closedError();
    this.#connected(error);
    this.#requests.fail(error);
    const isOrderly = ORDERLY_ENDS.has(this.#end.reasonCode);
    this.#subscriptions.end(isOrderly ? undefined : error);
    this.#tellClosed(this.#end);
  }

  #closedError(): LocalClientError {
    const { reasonCode, sentence } = this.#end ?? {
      reasonCode: ReasonCode.NormalDisconnection,
      sentence: 'the client is closed',
    };
    return new LocalClientError('closed', reasonCode, sentence);
  }
}
