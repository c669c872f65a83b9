/** Why a message did not reach a receiver. Each has a counter; nothing is dropped uncounted. */
export const DropReason = {
  /** The receiver's queue was full. */
  QueueFull: 'queue_full',
  /** QoS 0 and the receiver's socket was full. */
  OutboxFull: 'outbox_full',
  /** Message Expiry Interval passed before it could be sent. */
  Expired: 'expired',
  /** Larger than the receiver's Maximum Packet Size. */
  PacketTooLarge: 'packet_too_large',
  /** The receiver's session ended before the message was sent. */
  SessionEnded: 'session_ended',
  /** QoS 0 for a client that is away. */
  Offline: 'offline',
  /**
   * It was to be retained and the limits of retained messages are reached: delivered, not retained.
   */
  RetainedFull: 'retained_full',
  /** It waited for a receiver that may not have it any more. */
  NotAuthorized: 'not_authorized',
} as const;
export type DropReason = (typeof DropReason)[keyof typeof DropReason];

/**
 * Plain counters since the start; read by the admin side, written on the path without a thought.
 */
export class Statistics {
  publishReceived = 0;
  publishSent = 0;
  bytesReceived = 0;
  bytesSent = 0;
  connectionsAccepted = 0;
  connectionsRefused = 0;
  /** Wrong passwords, tokens and the like. */
  credentialsRefused = 0;
  /** Refusals of those that were held back to slow down guessing. */
  answersDelayed = 0;
  /** Connections that had not brought a whole CONNECT in time. */
  connectTimeouts = 0;
  /** Clients that were silent for too long: for their Keep Alive, or for a limit of this server. */
  keepAliveTimeouts = 0;
  protocolViolations = 0;
  takeOvers = 0;
  retransmissions = 0;
  /** PUBLISH, PUBREL and SUBSCRIBE packets that clients sent again without a need. */
  resentReceived = 0;
  /** PUBLISH, wills and Topic Filters that rules denied. */
  accessDenied = 0;
  /** Times that a connection was not read for sending more than its rate. */
  rateWaits = 0;
  /** Connections refused or ended for it. */
  rateExceeded = 0;
  /** Take-overs that had to wait because two clients share a Client Identifier. */
  takeOversHeld = 0;
  willsWithheld = 0;
  /** Addresses found to leave Sessions behind under ever new Client Identifiers. */
  orphansFound = 0;
  /** Times that a client was found to have stopped reading. */
  stalls = 0;
  /** Connections whose link was found to be slower than what is sent to it. */
  slowLinks = 0;
  /** Devices that are sent one packet at a time from then on. */
  stepDowns = 0;
  /** Clients found to stumble over the same resent packet on each connection. */
  resendLoops = 0;
  /** Messages taken out of the way of a client that cannot take them. */
  deadLettered = 0;
  readonly dropped: Record<DropReason, number> = {
    queue_full: 0,
    outbox_full: 0,
    expired: 0,
    packet_too_large: 0,
    session_ended: 0,
    offline: 0,
    retained_full: 0,
    not_authorized: 0,
  };
}
