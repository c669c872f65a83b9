import { unreachable } from '../base/assert.js';
import { utf8Bytes } from '../base/utf8.js';
import type { QueuePosition } from '../session/session-store.js';
import type { ApplicationMessage } from '../wire/application-message.js';
import { encodeDevice } from './device-record.js';
import { earlierPositions } from './earlier-position.js';
import { Batch } from './engine.js';
import {
  bodyKey,
  deviceKey,
  Family,
  identifierKey,
  metaKey,
  queueKey,
  retainedKey,
  sessionKey,
  subscriptionKey,
} from './key.js';
import type { QueuePut, SessionPut, SessionRemoval, StoreOperation } from './operation.js';
import {
  encodeBody,
  encodeExchange,
  encodeMark,
  encodeNumber,
  encodePosition,
  encodeQueueEntry,
  encodeRetained,
  encodeSession,
  encodeSubscription,
} from './record.js';
import { RecordWriter } from './record-writer.js';
import { ReservedNumbers } from './reserved-numbers.js';
import type { SharedBodies, SharedBody } from './shared-bodies.js';
import type { StoredSessions } from './stored-sessions.js';

/** On a disk a second record, written and erased, is dearer than so many bytes. */
const INLINE_BYTES_MAX = 256;
export const SESSION_NUMBERS: Uint8Array = metaKey('session-numbers');
export const BODY_NUMBERS: Uint8Array = metaKey('body-numbers');

/**
 * Turns the operations of a batch into records. Operations of a Session that has no record write
 * nothing: a removed Session never comes back, whatever still refers to it.
 */
export class BatchWriter {
  readonly bodyNumbers: ReservedNumbers = new ReservedNumbers();
  readonly #sessions: StoredSessions;
  readonly #bodies: SharedBodies;
  /** A message up to this size is stored with each of its queue entries. */
  readonly #inlineBytesMax: number;
  readonly #writer = new RecordWriter();
  readonly #positions = new Set<QueuePosition>();
  #lastPosition: QueuePosition | undefined = undefined;
  #batch = new Batch();

  constructor(
    sessions: StoredSessions,
    bodies: SharedBodies,
    inlineBytesMax: number = INLINE_BYTES_MAX,
  ) {
    this.#sessions = sessions;
    this.#bodies = bodies;
    this.#inlineBytesMax = inlineBytesMax;
  }

  /** `left` are the changes behind those that stay for a later batch. */
  encode(operations: readonly StoreOperation[], left: readonly StoreOperation[]): Batch {
    const batch = new Batch();
    this.#batch = batch;
    const readers = this.#countReaders(operations);
    for (const operation of operations) {
      if (!operation.cancelled) this.#write(operation, readers);
    }
    this.#writePositions(left);
    this.#writeBodyCounts();
    return batch;
  }

  /** How many live entries want each message that is worth sharing. */
  #countReaders(operations: readonly StoreOperation[]): ReadonlyMap<ApplicationMessage, number> {
    const readers = new Map<ApplicationMessage, number>();
    for (const operation of operations) {
      if (operation.kind !== 'queue-put' || operation.cancelled) continue;
      const message = operation.message!;
      if (message.bytes <= this.#inlineBytesMax) continue;
      if (!this.#sessions.has(operation.queue.sessionNumber)) continue;
      readers.set(message, (readers.get(message) ?? 0) + 1);
    }
    return readers;
  }

  #write(operation: StoreOperation, readers: ReadonlyMap<ApplicationMessage, number>): void {
    const batch = this.#batch;
    switch (operation.kind) {
      case 'queue-put':
        this.#writeEntry(operation, readers);
        break;
      case 'queue-removal': {
        const { queue, sequence, body } = operation.put;
        if (!this.#touch(queue)) break;
        const { packetIdentifier } = operation;
        batch.delete(queueKey(queue.sessionNumber, sequence));
        if (packetIdentifier > 0) this.#deleteExchange(queue, packetIdentifier);
        if (body !== undefined) this.#bodies.add(body, -1);
        break;
      }
      case 'exchange-put': {
        const { queue, packetIdentifier, sequence, released } = operation;
        if (this.#touch(queue)) this.#putExchange(queue, packetIdentifier, sequence, released);
        break;
      }
      case 'exchange-removal': {
        const { queue, packetIdentifier } = operation;
        if (this.#touch(queue)) this.#deleteExchange(queue, packetIdentifier);
        break;
      }
      case 'received': {
        const { sessionNumber, packetIdentifier } = operation;
        if (!this.#sessions.recorded(sessionNumber)) break;
        const key = identifierKey(Family.Received, sessionNumber, packetIdentifier);
        if (operation.isCompleted) batch.delete(key);
        else batch.put(key, encodeMark(this.#writer));
        break;
      }
      case 'subscription': {
        const { sessionNumber, topicFilter, subscription } = operation;
        if (!this.#sessions.recorded(sessionNumber)) break;
        const key = subscriptionKey(sessionNumber, topicFilter);
        if (subscription === undefined) batch.delete(key);
        else batch.put(key, encodeSubscription(this.#writer, subscription));
        break;
      }
      case 'retained': {
        const message = operation.message;
        if (message === undefined) batch.delete(retainedKey(utf8Bytes(operation.topicName)));
        else batch.put(retainedKey(message.topicBytes), encodeRetained(this.#writer, message));
        break;
      }
      case 'device': {
        const { clientIdentifier, record } = operation;
        if (record === undefined) batch.delete(deviceKey(clientIdentifier));
        else batch.put(deviceKey(clientIdentifier), encodeDevice(this.#writer, record));
        break;
      }
      case 'session-put':
        this.#writeSession(operation);
        break;
      case 'session-removal':
        this.#writeRemoval(operation);
        break;
      case 'session-numbers':
        batch.put(SESSION_NUMBERS, encodeNumber(this.#writer, operation.reservedEnd));
        break;
      case 'erasure':
        for (const key of operation.keys) batch.delete(key);
        for (const number of operation.bodyNumbers) {
          const body = this.#bodies.get(number);
          if (body !== undefined) this.#bodies.add(body, -1);
        }
        break;
      default:
        unreachable(operation);
    }
  }

  #writeEntry(put: QueuePut, readers: ReadonlyMap<ApplicationMessage, number>): void {
    const message = put.message!;
    put.message = undefined;
    if (!this.#touch(put.queue)) return;
    const body = this.#bodyFor(message, readers);
    if (body !== undefined) {
      put.body = body;
      this.#bodies.add(body, 1);
    }
    this.#batch.put(
      queueKey(put.queue.sessionNumber, put.sequence),
      encodeQueueEntry(this.#writer, put.delivery, message, body?.number ?? 0),
    );
    const { queue, packetIdentifier, sequence } = put;
    if (packetIdentifier > 0) this.#putExchange(queue, packetIdentifier, sequence, false);
  }

  /**
   * The shared body to refer to, made now if this batch has several readers; undefined is inline.
   */
  #bodyFor(
    message: ApplicationMessage,
    readers: ReadonlyMap<ApplicationMessage, number>,
  ): SharedBody | undefined {
    const wanted = readers.get(message);
    if (wanted === undefined) return undefined;
    const known = this.#bodies.of(message);
    if (known !== undefined || wanted === 1) return known;
    const number = this.bodyNumbers.take((reservedEnd) => {
      this.#batch.put(BODY_NUMBERS, encodeNumber(this.#writer, reservedEnd));
    });
    message.storedNumber = number;
    this.#batch.put(bodyKey(Family.Body, number), encodeBody(this.#writer, message));
    return this.#bodies.create(number);
  }

  #putExchange(
    queue: QueuePosition,
    packetIdentifier: number,
    sequence: number,
    released: boolean,
  ): void {
    this.#batch.put(
      identifierKey(Family.Exchange, queue.sessionNumber, packetIdentifier),
      encodeExchange(this.#writer, sequence, released),
    );
  }

  #deleteExchange(queue: QueuePosition, packetIdentifier: number): void {
    this.#batch.delete(identifierKey(Family.Exchange, queue.sessionNumber, packetIdentifier));
  }

  #writeSession(put: SessionPut): void {
    const { sessionNumber } = put.record;
    if (!this.#sessions.written(sessionNumber)) return;
    this.#batch.put(
      sessionKey(Family.Session, sessionNumber),
      encodeSession(this.#writer, put.record),
    );
  }

  #writeRemoval(removal: SessionRemoval): void {
    const { sessionNumber } = removal;
    this.#batch.delete(sessionKey(Family.Session, sessionNumber));
    if (removal.leavesRecords) {
      this.#batch.put(sessionKey(Family.Removed, sessionNumber), encodeMark(this.#writer));
    }
  }

  /** Notes that the queue's position is to be written. False when the Session is gone. */
  #touch(queue: QueuePosition): boolean {
    if (queue === this.#lastPosition) return true;
    if (!this.#sessions.recorded(queue.sessionNumber)) return false;
    this.#positions.add(queue);
    this.#lastPosition = queue;
    return true;
  }

  #writePositions(left: readonly StoreOperation[]): void {
    const earlier = earlierPositions(this.#positions, left);
    for (const queue of this.#positions) {
      const key = sessionKey(Family.Position, queue.sessionNumber);
      this.#batch.put(key, encodePosition(this.#writer, earlier.get(queue) ?? queue));
    }
    this.#positions.clear();
    this.#lastPosition = undefined;
  }

  #writeBodyCounts(): void {
    for (const body of this.#bodies.takeTouched()) {
      const countKey = bodyKey(Family.BodyCount, body.number);
      if (body.count > 0) {
        this.#batch.put(countKey, encodeNumber(this.#writer, body.count));
      } else {
        this.#batch.delete(bodyKey(Family.Body, body.number));
        this.#batch.delete(countKey);
      }
    }
  }
}
