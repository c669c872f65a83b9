import type { QoS } from 'mqtt-packet';

/** How firmware behaves, as switches; `libraries.ts` sets them as real libraries do. */
export interface Behaviour {
  readonly name: string;
  /** Where the switches were read or measured. */
  readonly source: string;
  /** Protocol level in CONNECT; 3 is `MQIsdp`. */
  readonly version: 3 | 4 | 5;

  /** Largest whole packet that can be received. */
  readonly receiveBytesMax: number;
  /** CONNACK must have so many bytes; undefined where any will do. */
  readonly connackBytes: number | undefined;
  /** What becomes of a larger PUBLISH. `ignore`: read to its end and never acknowledged. */
  readonly oversize: 'ignore' | 'acknowledge' | 'close';
  /** A longer topic is ignored, without an acknowledgement. */
  readonly topicBytesMax: number;
  /** `header-in-one-segment`: fixed header, topic and Packet Identifier must not be split. */
  readonly parser: 'stream' | 'header-in-one-segment';
  /** A packet that pauses longer in the middle ends the connection. */
  readonly packetPauseMsMax: number | undefined;
  /** The same for CONNACK alone. */
  readonly connackPauseMsMax: number | undefined;

  /** A PUBLISH that is longer is not sent at all. */
  readonly sendBytesMax: number;
  /** The library knows no higher one for its own messages. */
  readonly publishQosMax: QoS;
  /** Where the next Packet Identifier is taken from. */
  readonly packetIdentifiers: 'counted' | 'scattered';
  /** How a packet is cut into writes. */
  readonly writes: 'packet' | 'header-then-payload' | 'fields' | 'bytes';
  /** So long each write takes, as an exchange of its own with a modem. */
  readonly writeMs: number;
  /** SUBSCRIBE goes out in the same segment as CONNECT. */
  readonly pipelines: boolean;

  readonly keepAliveSeconds: number;
  /** The first PINGREQ goes out with CONNACK. */
  readonly pingsAtOnce: boolean;
  /** PINGREQ at this share of the keep alive. */
  readonly pingAt: number;
  /** Counted from: the last packet sent; the last in either direction silent; the last PINGREQ. */
  readonly pingAfter: 'sent' | 'silence' | 'ping';
  /** PINGREQ at the latest after so long, whatever the keep alive. */
  readonly pingMsMax: number | undefined;
  /** Without PINGRESP for so long the connection ends. */
  readonly pingrespMsMax: number | undefined;

  readonly connackMsMax: number;
  /** Without SUBACK or PUBACK for so long the connection ends. */
  readonly ackMsMax: number | undefined;
  /** Sends again on the same connection what is not acknowledged. */
  readonly resends: Resends | undefined;
  /** What is not acknowledged for so long is thrown away. */
  readonly unacknowledgedMsMax: number | undefined;
  /** Own QoS 1 and 2 messages under way at a time. */
  readonly inFlightMax: number;
  /** A PUBACK that is not for the oldest message is not taken. */
  readonly acksInOrderOnly: boolean;
  /** An acknowledgement for an identifier that is not known ends the connection. */
  readonly unknownAckIsFatal: boolean;
  /** What waits for an acknowledgement, either way, is gone with the connection. */
  readonly forgetsAtReconnect: boolean;
  /** PUBREC for an identifier that is not known: the firmware crashes, and has forgotten all. */
  readonly unknownPubrecCrashes: boolean;
  /** Whether a QoS 2 message is ever completed. */
  readonly sendsPubcomp: boolean;
  /** PUBREL for an identifier that is not known: answered, or met with silence. */
  readonly pubrelUnknown: 'pubcomp' | 'ignore';
  /** Keeps identifiers of QoS 2 messages, so that none is handed on twice. */
  readonly knowsQos2Duplicates: boolean;
  /** How received QoS 1 messages are acknowledged. */
  readonly acknowledges: 'once' | 'never' | 'twice' | 'backwards';

  readonly clean: boolean;
  /** `new-each-time`: another Client Identifier for each connection. */
  readonly identifiers: 'given' | 'new-each-time';
  readonly reconnect: Reconnect;
  /** What waits for the connection; more is thrown away, oldest first. */
  readonly queueMax: number;
}

export interface Resends {
  readonly afterMs: number;
  /** The oldest alone, or everything that waits. */
  readonly what: 'oldest' | 'all';
  /** SUBSCRIBE as well. */
  readonly subscribe: boolean;
  /** MQTT-C sends QoS 2 again as if for the first time. */
  readonly dup: boolean;
}

export interface Reconnect {
  readonly firstMs: number;
  readonly factor: number;
  readonly maxMs: number;
}

/** A client with nothing odd about it; libraries are told apart from it. */
export const PLAIN: Behaviour = {
  name: 'plain',
  source: 'MQTT 3.1.1, without deviations',
  version: 4,
  receiveBytesMax: Number.POSITIVE_INFINITY,
  connackBytes: undefined,
  oversize: 'acknowledge',
  topicBytesMax: 65_535,
  parser: 'stream',
  packetPauseMsMax: undefined,
  connackPauseMsMax: undefined,
  sendBytesMax: Number.POSITIVE_INFINITY,
  publishQosMax: 2,
  packetIdentifiers: 'counted',
  writes: 'packet',
  writeMs: 0,
  pipelines: false,
  keepAliveSeconds: 60,
  pingsAtOnce: false,
  pingAt: 1,
  pingAfter: 'sent',
  pingMsMax: undefined,
  pingrespMsMax: undefined,
  connackMsMax: 30_000,
  ackMsMax: undefined,
  resends: undefined,
  unacknowledgedMsMax: undefined,
  inFlightMax: 20,
  acksInOrderOnly: false,
  unknownAckIsFatal: false,
  forgetsAtReconnect: false,
  unknownPubrecCrashes: false,
  sendsPubcomp: true,
  pubrelUnknown: 'pubcomp',
  knowsQos2Duplicates: true,
  acknowledges: 'once',
  clean: true,
  identifiers: 'given',
  reconnect: { firstMs: 1_000, factor: 1, maxMs: 1_000 },
  queueMax: 100_000,
};
