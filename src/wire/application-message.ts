import type { QoS } from './control-packet.js';

/** Never: the value of `expiresAtWallMs` for a message without a Message Expiry Interval. */
export const NEVER_EXPIRES: number = Number.POSITIVE_INFINITY;

/**
 * An Application Message (section 1.2) that outlives the tick in which it came: retained, queued or
 * in flight. All bytes are exact copies that it owns; it is never changed and may be shared.
 */
export class ApplicationMessage {
  readonly topicName: string;
  /** The Topic Name in UTF-8, without a length in front. */
  readonly topicBytes: Uint8Array;
  readonly payload: Uint8Array;
  /**
   * Properties to forward unaltered, as on the wire, without Topic Alias and Message Expiry
   * Interval.
   */
  readonly properties: Uint8Array;
  /** As published. */
  readonly qos: QoS;
  /** The RETAIN flag as published. */
  readonly retain: boolean;
  /** Unix epoch milliseconds, or `NEVER_EXPIRES`. */
  readonly expiresAtWallMs: number;
  /** Client Identifier of the publisher, for No Local; empty for the broker itself. */
  readonly publisher: string;
  /** The store's number for a body kept apart from its queue entries; 0 while there is none. */
  storedNumber = 0;

  constructor(
    topicName: string,
    topicBytes: Uint8Array,
    payload: Uint8Array,
    properties: Uint8Array,
    qos: QoS,
    retain: boolean,
    expiresAtWallMs: number,
    publisher: string,
  ) {
    this.topicName = topicName;
    this.topicBytes = topicBytes;
    this.payload = payload;
    this.properties = properties;
    this.qos = qos;
    this.retain = retain;
    this.expiresAtWallMs = expiresAtWallMs;
    this.publisher = publisher;
  }

  /** What it counts against byte limits: topic, payload and properties. */
  get bytes(): number {
    return this.topicBytes.length + this.payload.length + this.properties.length;
  }
}
