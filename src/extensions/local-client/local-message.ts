import { utf8Text } from '../../base/utf8.js';
import type { PublishPacket, QoS, UserProperty } from '../../wire/control-packet.js';

const NO_PROPERTIES: readonly UserProperty[] = [];

/**
 * An Application Message as a Subscription got it. Overlapping Subscriptions share one: do not
 * change it.
 */
export class LocalMessage {
  readonly topicName: string;
  readonly payload: Uint8Array;
  /** As delivered: at most what was granted to the Subscription. */
  readonly qos: QoS;
  /**
   * It was a retained message when the Subscription began, or Retain As Published kept the flag.
   */
  readonly retain: boolean;
  readonly userProperties: readonly UserProperty[];
  readonly contentType: string | undefined;
  readonly responseTopic: string | undefined;
  readonly correlationData: Uint8Array | undefined;
  /** What is left of the Message Expiry Interval; undefined when the message does not expire. */
  readonly messageExpirySeconds: number | undefined;
  /** 1 where the publisher says that the payload is UTF-8. */
  readonly payloadFormatIndicator: 0 | 1;

  constructor(publish: PublishPacket) {
    this.topicName = publish.topicName;
    this.payload = publish.payload;
    this.qos = publish.qos;
    this.retain = publish.retain;
    this.userProperties = publish.userProperties ?? NO_PROPERTIES;
    this.contentType = publish.contentType;
    this.responseTopic = publish.responseTopic;
    this.correlationData = publish.correlationData;
    this.messageExpirySeconds = publish.messageExpiryIntervalSeconds;
    this.payloadFormatIndicator = publish.payloadFormatIndicator ?? 0;
  }

  /** The payload as UTF-8 text; what is not well-formed becomes U+FFFD. */
  text(): string {
    return utf8Text(this.payload, 0, this.payload.length);
  }
}

/** A message on its way through the loops of those Subscriptions that it matched. */
export class Delivery {
  readonly message: LocalMessage;
  /** 0 at QoS 0. */
  readonly packetIdentifier: number;
  readonly #acknowledge: (delivery: Delivery) => void;
  #pending = 0;

  constructor(publish: PublishPacket, acknowledge: (delivery: Delivery) => void) {
    this.message = new LocalMessage(publish);
    this.packetIdentifier = publish.packetIdentifier;
    this.#acknowledge = acknowledge;
  }

  /** One more has to be done with it before it is acknowledged. */
  hold(): void {
    this.#pending++;
  }

  done(): void {
    if (--this.#pending === 0 && this.packetIdentifier > 0) this.#acknowledge(this);
  }
}
