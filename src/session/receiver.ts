import type { PublishFrame } from '../wire/publish-frame.js';

/** The sending side of a connection, as the outbound flow of its Session sees it. */
export interface Receiver {
  /** Whether more QoS 1 and 2 messages may be put into the outbox now. */
  readonly hasRoom: boolean;
  /** Length of the last PUBLISH that was sent. */
  readonly sentBytes: number;
  /**
   * Appends a PUBLISH; returns false when it is larger than the client's Maximum Packet Size, in
   * which case nothing was sent. [MQTT-3.1.2-24]
   */
  sendPublish(
    frame: PublishFrame,
    flags: number,
    packetIdentifier: number,
    subscriptionIdentifiers: readonly number[],
  ): boolean;
  sendPubrel(packetIdentifier: number, isUnknown: boolean): void;
}

/** DUP, QoS and RETAIN as they stand in the first byte of PUBLISH. */
export function publishFlags(dup: boolean, qos: number, retain: boolean): number {
  return (dup ? 0x08 : 0) | (qos << 1) | (retain ? 0x01 : 0);
}
