import type { DeviceRecord, SessionRecord, StoredSubscription } from '../broker/store.js';
import type { Delivery } from '../session/delivery.js';
import type { QueuePosition } from '../session/session-store.js';
import type { ApplicationMessage } from '../wire/application-message.js';
import { Operation } from './group-commit.js';
import type { SharedBody } from './shared-bodies.js';

/** `S`. */
export class SessionPut extends Operation {
  readonly kind = 'session-put';
  record: SessionRecord;

  constructor(record: SessionRecord) {
    super();
    this.record = record;
  }
}

export class SessionRemoval extends Operation {
  readonly kind = 'session-removal';
  readonly sessionNumber: number;
  /** Whether records under its number are to be erased afterwards, so that a mark must remain. */
  readonly leavesRecords: boolean;

  constructor(sessionNumber: number, leavesRecords: boolean) {
    super();
    this.sessionNumber = sessionNumber;
    this.leavesRecords = leavesRecords;
  }
}

/** `U`: undefined removes. */
export class SubscriptionChange extends Operation {
  readonly kind = 'subscription';
  readonly sessionNumber: number;
  readonly topicFilter: string;
  readonly subscription: StoredSubscription | undefined;

  constructor(
    sessionNumber: number,
    topicFilter: string,
    subscription: StoredSubscription | undefined,
  ) {
    super();
    this.sessionNumber = sessionNumber;
    this.topicFilter = topicFilter;
    this.subscription = subscription;
  }
}

/** `Q`, and what `Delivery.stored` holds: the entry of the delivery, written or about to be. */
export class QueuePut extends Operation {
  readonly kind = 'queue-put';
  readonly queue: QueuePosition;
  readonly sequence: number;
  readonly delivery: Delivery;
  /** Undefined once it is encoded: from then on only the delivery keeps it in memory. */
  message: ApplicationMessage | undefined;
  /** The shared body that the entry on disk refers to. */
  body: SharedBody | undefined = undefined;
  /** The Packet Identifier of the exchange that is put and removed with the entry; 0 is none. */
  packetIdentifier = 0;
  /** The exchange of the same delivery, where it is put by itself. */
  exchange: ExchangePut | undefined = undefined;
  /** Whether the entry is put and not removed again. */
  present = true;

  constructor(queue: QueuePosition, delivery: Delivery, message: ApplicationMessage | undefined) {
    super();
    this.queue = queue;
    this.sequence = delivery.sequence;
    this.delivery = delivery;
    this.message = message;
  }
}

/** Removes a queue entry that is on disk. */
export class QueueRemoval extends Operation {
  readonly kind = 'queue-removal';
  readonly put: QueuePut;
  /** Of the exchange that goes with it; 0 is none. */
  readonly packetIdentifier: number;
  /** What its queue lost: no message in the count where the exchange of a QoS 2 message stays. */
  readonly count: 0 | 1;
  readonly bytes: number;

  constructor(put: QueuePut, packetIdentifier: number, count: 0 | 1, bytes: number) {
    super();
    this.put = put;
    this.packetIdentifier = packetIdentifier;
    this.count = count;
    this.bytes = bytes;
  }
}

/** `O`. */
export class ExchangePut extends Operation {
  readonly kind = 'exchange-put';
  readonly queue: QueuePosition;
  readonly packetIdentifier: number;
  readonly sequence: number;
  released: boolean;
  /** Whether an earlier record of the same exchange may be on disk. */
  replaces = false;

  constructor(queue: QueuePosition, packetIdentifier: number, sequence: number, released: boolean) {
    super();
    this.queue = queue;
    this.packetIdentifier = packetIdentifier;
    this.sequence = sequence;
    this.released = released;
  }
}

export class ExchangeRemoval extends Operation {
  readonly kind = 'exchange-removal';
  readonly queue: QueuePosition;
  readonly packetIdentifier: number;
  /** What its queue lost: 1 where the exchange was all that was left of a QoS 2 message. */
  readonly count: 0 | 1;

  constructor(queue: QueuePosition, packetIdentifier: number, count: 0 | 1) {
    super();
    this.queue = queue;
    this.packetIdentifier = packetIdentifier;
    this.count = count;
  }
}

/** `I`. */
export class ReceivedChange extends Operation {
  readonly kind = 'received';
  readonly sessionNumber: number;
  readonly packetIdentifier: number;
  readonly isCompleted: boolean;

  constructor(sessionNumber: number, packetIdentifier: number, isCompleted: boolean) {
    super();
    this.sessionNumber = sessionNumber;
    this.packetIdentifier = packetIdentifier;
    this.isCompleted = isCompleted;
  }
}

/** `R`: undefined removes. */
export class RetainedChange extends Operation {
  readonly kind = 'retained';
  readonly topicName: string;
  message: ApplicationMessage | undefined;

  constructor(topicName: string, message: ApplicationMessage | undefined) {
    super();
    this.topicName = topicName;
    this.message = message;
  }
}

/** `V`: undefined removes. */
export class DeviceChange extends Operation {
  readonly kind = 'device';
  readonly clientIdentifier: string;
  readonly record: DeviceRecord | undefined;

  constructor(clientIdentifier: string, record: DeviceRecord | undefined) {
    super();
    this.clientIdentifier = clientIdentifier;
    this.record = record;
  }
}

/** `M`: the end of the block of Session numbers that is in use. */
export class SessionNumbersReserved extends Operation {
  readonly kind = 'session-numbers';
  readonly reservedEnd: number;

  constructor(reservedEnd: number) {
    super();
    this.reservedEnd = reservedEnd;
  }
}

/** A page of records of a removed Session goes, with its references to shared bodies. */
export class Erasure extends Operation {
  readonly kind = 'erasure';
  readonly keys: readonly Uint8Array[];
  readonly bodyNumbers: readonly number[];

  constructor(keys: readonly Uint8Array[], bodyNumbers: readonly number[]) {
    super();
    this.keys = keys;
    this.bodyNumbers = bodyNumbers;
  }
}

export type StoreOperation =
  | SessionPut
  | SessionRemoval
  | SubscriptionChange
  | QueuePut
  | QueueRemoval
  | ExchangePut
  | ExchangeRemoval
  | ReceivedChange
  | RetainedChange
  | DeviceChange
  | SessionNumbersReserved
  | Erasure;
