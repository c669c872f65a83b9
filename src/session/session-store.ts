import type { Delivery } from './delivery.js';

/**
 * The disk or its stand-in failed. Latched: once there is one, nothing is ever acknowledged again.
 */
export interface StoreFailure {
  /** One sentence for the log: what failed, where, and what to do. */
  readonly sentence: string;
  readonly cause: unknown;
}

/**
 * Where a stored Session's queue stands. The Session changes the fields; the store reads them when
 * it writes a batch, at most once a batch and Session.
 */
export interface QueuePosition {
  /** The store's number for the Session, 1 and up. */
  readonly sessionNumber: number;
  /** The least sequence that may still have an entry; no read needs to begin before it. */
  readonly headSequence: number;
  /** The next sequence to be given. */
  tailSequence: number;
  /** Entries on disk, in flight ones included. */
  count: number;
  /** Sum of their messages' `bytes`. */
  bytes: number;
  /** How long the client took lately to acknowledge a QoS 1 message; 0 while it is not known. */
  readonly acknowledgeMs?: number;
}

/** Receives a page of queue entries in order of sequence. */
export interface QueueReader {
  /** Deliveries as stored, state Queued; `end` is the sequence to go on from. */
  page(deliveries: readonly Delivery[], end: number): void;
}

export interface CommitWaiter {
  /** All batches up to this ticket are durable. */
  committed(ticket: number): void;
}

/**
 * What a Session needs durable. Every method joins the batch that is being filled; nothing waits.
 * An entry that is removed before its batch is written never reaches the disk, and once nothing of
 * what a ticket stands for is wanted any more, the ticket is committed without it.
 */
export interface SessionStore {
  /**
   * What is put now is durable, or not wanted any more, once this ticket is committed.
   */
  readonly openTicket: number;
  readonly committedTicket: number;
  /** Calls the waiter each time a batch commits, once; it registers again if it still waits. */
  afterCommit(waiter: CommitWaiter): void;

  /**
   * A delivery with a sequence and a message joins the queue; with a Packet Identifier it is being
   * sent already, as `sent` would tell.
   */
  enqueue(queue: QueuePosition, delivery: Delivery): void;
  /** The delivery is done with: acknowledged, expired or dropped. Removes its exchange too. */
  dequeue(queue: QueuePosition, delivery: Delivery): void;
  /** It has a Packet Identifier now and will be sent with it. */
  sent(queue: QueuePosition, delivery: Delivery): void;
  /** QoS 2: PUBREC came. The message goes, the exchange stays until `dequeue`. */
  released(queue: QueuePosition, delivery: Delivery): void;
  /** Inbound QoS 2: the identifier was received and routed. */
  received(sessionNumber: number, packetIdentifier: number): void;
  /** Inbound QoS 2: PUBREL came. */
  completed(sessionNumber: number, packetIdentifier: number): void;

  /**
   * Reads entries with `from <= sequence < to`, at most `countMax` of them, after everything put so
   * far is in the engine. The reader is called once, never inside this call.
   */
  readQueue(
    queue: QueuePosition,
    from: number,
    to: number,
    countMax: number,
    reader: QueueReader,
  ): void;
}
