import type { ReasonCode } from './reason-code.js';

/** MQTT Control Packet types (section 2.1.2): the high four bits of the first byte. */
export const PacketType = {
  CONNECT: 1,
  CONNACK: 2,
  PUBLISH: 3,
  PUBACK: 4,
  PUBREC: 5,
  PUBREL: 6,
  PUBCOMP: 7,
  SUBSCRIBE: 8,
  SUBACK: 9,
  UNSUBSCRIBE: 10,
  UNSUBACK: 11,
  PINGREQ: 12,
  PINGRESP: 13,
  DISCONNECT: 14,
  AUTH: 15,
} as const;
export type PacketType = (typeof PacketType)[keyof typeof PacketType];

/** 3 is MQTT 3.1 (`MQIsdp`), 4 is 3.1.1, 5 is 5.0: the Protocol Level byte of CONNECT. */
export type ProtocolVersion = 3 | 4 | 5;
export type QoS = 0 | 1 | 2;
/** Who sent the packet that is decoded: some packets and properties are for one of them only. */
export type Sender = 'client' | 'server';
/** A name and a value; names may repeat and their order is kept (5.0, section 2.2.2.2). */
export type UserProperty = readonly [name: string, value: string];

export interface WillMessage {
  readonly topicName: string;
  readonly payload: Uint8Array;
  readonly qos: QoS;
  readonly retain: boolean;
  readonly delayIntervalSeconds: number;
  /** Undefined when the message does not expire. */
  readonly messageExpiryIntervalSeconds: number | undefined;
  /** 0 unspecified bytes, 1 UTF-8. */
  readonly payloadFormatIndicator: 0 | 1;
  /**
   * The properties a Server forwards unaltered (Payload Format Indicator, Content Type, Response
   * Topic, Correlation Data, User Properties) as they stood on the wire, in order; empty before
   * 5.0.
   */
  readonly forwardedProperties: Uint8Array;
}

export interface Connect {
  readonly type: typeof PacketType.CONNECT;
  readonly protocolVersion: ProtocolVersion;
  /** Clean Start, which 3.1 and 3.1.1 call Clean Session. */
  readonly cleanStart: boolean;
  readonly keepAliveSeconds: number;
  readonly clientIdentifier: string;
  readonly will: WillMessage | undefined;
  readonly userName: string | undefined;
  readonly password: Uint8Array | undefined;
  /**
   * 0 when absent; 0xFFFFFFFF never expires. For 3.1 and 3.1.1 it is 0 and `cleanStart` decides.
   */
  readonly sessionExpiryIntervalSeconds: number;
  /** 65,535 when absent. */
  readonly receiveMaximum: number;
  /** Undefined when the client sets no limit. */
  readonly maximumPacketSizeBytes: number | undefined;
  /** 0 when absent: the Server must not send Topic Aliases. */
  readonly topicAliasMaximum: number;
  readonly requestResponseInformation: boolean;
  /** True when absent. */
  readonly requestProblemInformation: boolean;
  readonly userProperties: readonly UserProperty[];
  readonly authenticationMethod: string | undefined;
  readonly authenticationData: Uint8Array | undefined;
}

/** Every field of CONNACK a Server may set; an absent property is left out of the packet. */
export interface Connack {
  readonly type: typeof PacketType.CONNACK;
  readonly sessionPresent: boolean;
  /** A 5.0 Reason Code in all versions: the encoder maps it to the 3.1.1 return code. */
  readonly reasonCode: ReasonCode;
  readonly sessionExpiryIntervalSeconds?: number | undefined;
  readonly receiveMaximum?: number | undefined;
  readonly maximumQoS?: 0 | 1 | undefined;
  readonly retainAvailable?: boolean | undefined;
  readonly maximumPacketSizeBytes?: number | undefined;
  readonly assignedClientIdentifier?: string | undefined;
  readonly topicAliasMaximum?: number | undefined;
  readonly reasonString?: string | undefined;
  readonly userProperties?: readonly UserProperty[] | undefined;
  readonly wildcardSubscriptionAvailable?: boolean | undefined;
  readonly subscriptionIdentifiersAvailable?: boolean | undefined;
  readonly sharedSubscriptionAvailable?: boolean | undefined;
  readonly serverKeepAliveSeconds?: number | undefined;
  readonly responseInformation?: string | undefined;
  readonly serverReference?: string | undefined;
  readonly authenticationMethod?: string | undefined;
  readonly authenticationData?: Uint8Array | undefined;
}

export type AcknowledgementType =
  | typeof PacketType.PUBACK
  | typeof PacketType.PUBREC
  | typeof PacketType.PUBREL
  | typeof PacketType.PUBCOMP;

/** PUBACK, PUBREC, PUBREL, PUBCOMP. */
export interface Acknowledgement {
  readonly type: AcknowledgementType;
  readonly packetIdentifier: number;
  readonly reasonCode: ReasonCode;
  readonly reasonString?: string | undefined;
  readonly userProperties?: readonly UserProperty[] | undefined;
}

/** Subscription Options (5.0, section 3.8.3.1); before 5.0 only `qos` is on the wire. */
export interface SubscriptionOptions {
  readonly qos: QoS;
  readonly noLocal: boolean;
  readonly retainAsPublished: boolean;
  readonly retainHandling: 0 | 1 | 2;
}

export interface SubscribeEntry {
  readonly topicFilter: string;
  readonly options: SubscriptionOptions;
}

export interface Subscribe {
  readonly type: typeof PacketType.SUBSCRIBE;
  readonly packetIdentifier: number;
  /** 1 to 268,435,455; undefined when absent. */
  readonly subscriptionIdentifier: number | undefined;
  readonly userProperties: readonly UserProperty[];
  readonly entries: readonly SubscribeEntry[];
}

export interface Unsubscribe {
  readonly type: typeof PacketType.UNSUBSCRIBE;
  readonly packetIdentifier: number;
  readonly userProperties: readonly UserProperty[];
  readonly topicFilters: readonly string[];
}

/** SUBACK and UNSUBACK. Codes are 5.0 codes; the encoder maps SUBACK failures to 0x80 for 3.1.1. */
export interface SubscribeAcknowledgement {
  readonly type: typeof PacketType.SUBACK | typeof PacketType.UNSUBACK;
  readonly packetIdentifier: number;
  readonly reasonCodes: readonly ReasonCode[];
  readonly reasonString?: string | undefined;
  readonly userProperties?: readonly UserProperty[] | undefined;
}

export interface Ping {
  readonly type: typeof PacketType.PINGREQ | typeof PacketType.PINGRESP;
}

export interface Disconnect {
  readonly type: typeof PacketType.DISCONNECT;
  readonly reasonCode: ReasonCode;
  readonly sessionExpiryIntervalSeconds?: number | undefined;
  readonly reasonString?: string | undefined;
  readonly userProperties?: readonly UserProperty[] | undefined;
  readonly serverReference?: string | undefined;
}

export interface Auth {
  readonly type: typeof PacketType.AUTH;
  readonly reasonCode: ReasonCode;
  readonly authenticationMethod?: string | undefined;
  readonly authenticationData?: Uint8Array | undefined;
  readonly reasonString?: string | undefined;
  readonly userProperties?: readonly UserProperty[] | undefined;
}

/**
 * A PUBLISH as a value, with every property decoded: for clients (the bridge, the in-process
 * client) and tests. The Server's own path uses `Publish`, which keeps the bytes.
 */
export interface PublishPacket {
  readonly type: typeof PacketType.PUBLISH;
  readonly dup: boolean;
  readonly qos: QoS;
  readonly retain: boolean;
  /** Empty only where a Topic Alias stands for it. */
  readonly topicName: string;
  /** 0 at QoS 0. */
  readonly packetIdentifier: number;
  readonly payload: Uint8Array;
  readonly payloadFormatIndicator?: 0 | 1 | undefined;
  readonly messageExpiryIntervalSeconds?: number | undefined;
  readonly topicAlias?: number | undefined;
  readonly responseTopic?: string | undefined;
  readonly correlationData?: Uint8Array | undefined;
  readonly userProperties?: readonly UserProperty[] | undefined;
  readonly subscriptionIdentifiers?: readonly number[] | undefined;
  readonly contentType?: string | undefined;
}

export type ControlPacket =
  | Connect
  | Connack
  | PublishPacket
  | Acknowledgement
  | Subscribe
  | Unsubscribe
  | SubscribeAcknowledgement
  | Ping
  | Disconnect
  | Auth;
