import type { QoS, UserProperty } from '../../wire/control-packet.js';

export interface LocalPublishOptions {
  /** 0 by default. */
  readonly qos?: QoS;
  readonly retain?: boolean;
  readonly userProperties?: readonly UserProperty[];
  readonly contentType?: string;
  readonly responseTopic?: string;
  readonly correlationData?: Uint8Array;
  /** After this long the broker does not deliver the message any more. */
  readonly messageExpirySeconds?: number;
  /** 1 says that the payload is UTF-8; 0 by default. */
  readonly payloadFormatIndicator?: 0 | 1;
}

export interface LocalWill extends LocalPublishOptions {
  readonly topicName: string;
  readonly payload: string | Uint8Array;
  /** How long the broker waits with it; 0 by default. */
  readonly delaySeconds?: number;
}

export interface LocalClientOptions {
  /** The broker chooses one by default. A client with the same one is taken over. */
  readonly clientIdentifier?: string;
  readonly userName?: string;
  readonly password?: string | Uint8Array;
  /** Published when the connection ends by anything else than `close()`. */
  readonly will?: LocalWill;
  /** QoS 1 and 2 messages that may wait in this client's loops; 64 by default. */
  readonly receiveMaximum?: number;
  /** How long the broker keeps the Session after the end; 0 by default, 0xFFFFFFFF is for ever. */
  readonly sessionExpirySeconds?: number;
  /** False goes on with the Session of this Client Identifier; true by default. */
  readonly cleanStart?: boolean;
  /** QoS 0 messages that may wait in each loop before further ones are dropped; 1000 by default. */
  readonly qos0MessagesMax?: number;
  /** The same in bytes of payload; 8 MiB by default. */
  readonly qos0BytesMax?: number;
}

export interface LocalSubscribeOptions {
  /** The highest QoS to be delivered with; 0 by default. */
  readonly qos?: QoS;
  /** Leaves out what this client itself publishes. */
  readonly noLocal?: boolean;
  /** Keeps the RETAIN flag as it was published. */
  readonly retainAsPublished?: boolean;
  /** Retained messages: 0 always (the default), 1 for a new Subscription only, 2 never. */
  readonly retainHandling?: 0 | 1 | 2;
}
