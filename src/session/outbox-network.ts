import type { NetworkConnection } from './network-connection.js';

/** As much of a `NetworkConnection` as writing needs. */
export interface OutboxNetwork
  extends Pick<NetworkConnection, 'unsentBytes' | 'write' | 'takesBursts'> {
  /** It may take little at a time: a packet or two. */
  readonly prefersSmallWrites?: boolean;
}

export interface OutboxOwner {
  /** There is room again. */
  drained(): void;
  /** Bytes have been given to the network. */
  sent(bytes: number): void;
  /** Messages among them that had been held back. */
  sentHeld(): void;
}
