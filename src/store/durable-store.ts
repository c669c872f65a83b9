import { assert } from '../base/assert.js';
import type { EndOfTick } from '../base/clock.js';
import { type Logger, silentLogger } from '../base/log.js';
import type { DeviceRecord, SessionRecord, Store, StoredSubscription } from '../broker/store.js';
import type { Delivery } from '../session/delivery.js';
import type {
  CommitWaiter,
  QueuePosition,
  QueueReader,
  StoreFailure,
} from '../session/session-store.js';
import type { ApplicationMessage } from '../wire/application-message.js';
import { BatchWriter } from './batch-writer.js';
import type { Engine } from './engine.js';
import { GroupCommit } from './group-commit.js';
import { LeftoverEraser } from './leftover-eraser.js';
import {
  DeviceChange,
  ExchangePut,
  ExchangeRemoval,
  QueuePut,
  QueueRemoval,
  ReceivedChange,
  RetainedChange,
  SessionNumbersReserved,
  SessionPut,
  SessionRemoval,
  type StoreOperation,
  SubscriptionChange,
} from './operation.js';
import type { Grace } from './patience.js';
import { QueuePages } from './queue-pages.js';
import { ReservedNumbers } from './reserved-numbers.js';
import { SharedBodies } from './shared-bodies.js';
import { StoredSessions } from './stored-sessions.js';

/** What an operation weighs in `pendingBytes` beside its message. */
const OPERATION_BYTES = 64;

export interface DurableStoreParts {
  readonly engine: Engine;
  readonly endOfTick: EndOfTick;
  /** For an engine whose writes are dear. */
  readonly grace?: Grace | undefined;
  readonly log?: Logger;
  /** Called once when the engine fails; from then on nothing is committed. */
  onFailure(failure: StoreFailure): void;
}

/** What `recover` puts into a new store; nothing else calls it. */
export interface RecoveredState {
  readonly nextSessionNumber: number;
  readonly nextBodyNumber: number;
  readonly sessionNumbers: Iterable<number>;
  readonly bodyCounts: Iterable<readonly [number: number, count: number]>;
  /** Numbers of removed Sessions whose records are still to be erased. */
  readonly leftovers: Iterable<number>;
}

/** The broker's `Store` over an `Engine`. Before its first use `recover` must have run. */
export class DurableStore implements Store {
  readonly #commit: GroupCommit<StoreOperation>;
  readonly #writer: BatchWriter;
  readonly #sessions = new StoredSessions();
  readonly #bodies = new SharedBodies();
  readonly #sessionNumbers = new ReservedNumbers();
  readonly #pages: QueuePages;
  readonly #eraser: LeftoverEraser;
  readonly #engine: Engine;
  /** The last retained change of each Topic Name since the batch `#retainedTicket` began. */
  #retained = new Map<string, RetainedChange>();
  #retainedTicket = 0;
  /** A message that fans out is counted once in `pendingBytes`. */
  #lastMessage: ApplicationMessage | undefined = undefined;

  constructor(parts: DurableStoreParts) {
    const { engine, endOfTick } = parts;
    const log = parts.log ?? silentLogger;
    this.#engine = engine;
    this.#writer = new BatchWriter(this.#sessions, this.#bodies, engine.inlineBytesMax);
    this.#commit = new GroupCommit<StoreOperation>({
      engine,
      endOfTick,
      grace: parts.grace,
      encode: (operations, left) => {
        this.#lastMessage = undefined;
        return this.#writer.encode(operations, left);
      },
      onFailure: (failure) => {
        log.error({ event: 'store_failed', reason: String(failure.cause) }, failure.sentence);
        parts.onFailure(failure);
      },
    });
    this.#pages = new QueuePages(engine, this.#commit, this.#bodies);
    this.#eraser = new LeftoverEraser(engine, this.#commit, this.#bodies);
  }

  get openTicket(): number {
    return this.#commit.openTicket;
  }

  get committedTicket(): number {
    return this.#commit.committedTicket;
  }

  get pendingBytes(): number {
    return this.#commit.pendingBytes;
  }

  get failure(): StoreFailure | undefined {
    return this.#commit.failure;
  }

  /** Messages that are stored once for several queue entries. */
  get sharedBodies(): number {
    return this.#bodies.count;
  }

  afterCommit(waiter: CommitWaiter): void {
    this.#commit.afterCommit(waiter);
  }

  nextSessionNumber(): number {
    return this.#sessionNumbers.take((reservedEnd) => {
      this.#commit.put(new SessionNumbersReserved(reservedEnd), OPERATION_BYTES);
    });
  }

  putSession(record: SessionRecord): void {
    const number = record.sessionNumber;
    const sessions = this.#sessions;
    if (!sessions.has(number)) {
      assert(!this.#eraser.isErasing(number), 'a removed session number is used again');
      sessions.add(number);
    }
    const open = sessions.openPut(number);
    if (open !== undefined) {
      open.record = record;
      return;
    }
    const put = new SessionPut(record);
    sessions.putOpened(number, put);
    this.#commit.put(put, OPERATION_BYTES + (record.will?.payload.length ?? 0));
  }

  removeSession(record: SessionRecord): void {
    const number = record.sessionNumber;
    const sessions = this.#sessions;
    if (!sessions.has(number)) return;
    const open = sessions.openPut(number);
    if (open !== undefined) this.#commit.cancel(open);
    const isWritten = sessions.isWritten(number);
    const leavesRecords = sessions.hasRecords(number);
    sessions.delete(number);
    if (!isWritten) return;
    this.#commit.put(new SessionRemoval(number, leavesRecords), OPERATION_BYTES);
    if (leavesRecords) this.#eraser.add(number);
  }

  putSubscription(sessionNumber: number, subscription: StoredSubscription): void {
    const { topicFilter } = subscription;
    const change = new SubscriptionChange(sessionNumber, topicFilter, subscription);
    this.#commit.put(change, OPERATION_BYTES + topicFilter.length);
  }

  removeSubscription(sessionNumber: number, topicFilter: string): void {
    const change = new SubscriptionChange(sessionNumber, topicFilter, undefined);
    this.#commit.put(change, OPERATION_BYTES + topicFilter.length);
  }

  putRetained(message: ApplicationMessage): void {
    this.#changeRetained(message.topicName, message, message.bytes);
  }

  removeRetained(topicName: string): void {
    this.#changeRetained(topicName, undefined, topicName.length);
  }

  putDevice(record: DeviceRecord): void {
    const change = new DeviceChange(record.clientIdentifier, record);
    this.#commit.put(change, OPERATION_BYTES + record.clientIdentifier.length, 'later');
  }

  removeDevice(clientIdentifier: string): void {
    this.#commit.put(new DeviceChange(clientIdentifier, undefined), OPERATION_BYTES, 'later');
  }

  enqueue(queue: QueuePosition, delivery: Delivery): void {
    const message = delivery.message;
    assert(message !== undefined, 'a delivery is enqueued without its message');
    const put = new QueuePut(queue, delivery, message);
    put.packetIdentifier = delivery.packetIdentifier;
    delivery.stored = put;
    const isNew = message !== this.#lastMessage;
    this.#lastMessage = message;
    // A client that is there acknowledges before long, if it is none of the slow ones.
    const isSent = delivery.qos === 1 && delivery.packetIdentifier > 0;
    const urgency = isSent ? this.#commit.urgencyFor(queue.acknowledgeMs ?? 0) : 'now';
    this.#commit.put(put, isNew ? OPERATION_BYTES + message.bytes : OPERATION_BYTES, urgency);
  }

  dequeue(queue: QueuePosition, delivery: Delivery): void {
    const put = delivery.stored as QueuePut | undefined;
    delivery.stored = undefined;
    if (put === undefined) {
      const { packetIdentifier } = delivery;
      if (packetIdentifier !== 0) this.#removeExchange(queue, packetIdentifier, 1);
      return;
    }
    const wasReleased = !put.present;
    if (put.present) {
      put.present = false;
      if (this.#commit.isOpen(put)) {
        put.message = undefined;
        this.#commit.discharge(put);
      } else {
        this.#commit.put(removalOf(put, delivery), OPERATION_BYTES, 'later');
      }
    }
    if (put.exchange !== undefined) this.#dropExchange(put.exchange, wasReleased ? 1 : 0);
  }

  sent(queue: QueuePosition, delivery: Delivery): void {
    const put = delivery.stored as QueuePut | undefined;
    const { packetIdentifier } = delivery;
    if (put === undefined) {
      this.#putExchange(queue, delivery, false);
      return;
    }
    const known = put.exchange;
    if ((known ?? put).packetIdentifier === packetIdentifier) return;
    if (known !== undefined) {
      this.#dropExchange(known, 0);
      put.exchange = undefined;
    } else if (put.packetIdentifier > 0) this.#dropExchangeWith(put);
    // Never with the entry: the identifier may be one that was given up behind it.
    this.#putExchange(queue, delivery, false);
  }

  released(queue: QueuePosition, delivery: Delivery): void {
    const put = delivery.stored as QueuePut | undefined;
    if (put !== undefined) {
      this.#removeEntry(put, delivery.message!.bytes);
      const known = put.exchange;
      if (known !== undefined && this.#commit.isOpen(known)) {
        known.released = true;
        return;
      }
    }
    this.#putExchange(queue, delivery, true);
  }

  received(sessionNumber: number, packetIdentifier: number): void {
    const change = new ReceivedChange(sessionNumber, packetIdentifier, false);
    this.#commit.put(change, OPERATION_BYTES);
  }

  completed(sessionNumber: number, packetIdentifier: number): void {
    const change = new ReceivedChange(sessionNumber, packetIdentifier, true);
    this.#commit.put(change, OPERATION_BYTES);
  }

  readQueue(
    queue: QueuePosition,
    from: number,
    to: number,
    countMax: number,
    reader: QueueReader,
  ): void {
    this.#pages.read(queue, from, to, countMax, reader);
  }

  /** Ends after everything put so far is committed, unless the store has failed. */
  async close(): Promise<void> {
    this.#eraser.stop();
    await new Promise<void>((resolve) => this.#whenSettled(resolve));
    await this.#engine.close();
  }

  /** Called by `recover` before the store's first use. */
  adopt(state: RecoveredState): void {
    this.#sessionNumbers.recover(state.nextSessionNumber);
    this.#writer.bodyNumbers.recover(state.nextBodyNumber);
    for (const [number, count] of state.bodyCounts) this.#bodies.recover(number, count);
    for (const number of state.sessionNumbers) this.#sessions.recover(number);
    for (const number of state.leftovers) this.#eraser.add(number);
  }

  #whenSettled(then: () => void): void {
    const ticket = this.#commit.flush();
    if (this.failure !== undefined || ticket <= this.committedTicket) then();
    else this.afterCommit({ committed: () => this.#whenSettled(then) });
  }

  /** The entry alone goes: its exchange stays, or goes by itself. */
  #removeEntry(put: QueuePut, bytes: number): void {
    if (!put.present) return;
    put.present = false;
    if (this.#commit.isOpen(put)) {
      this.#commit.cancel(put);
      put.message = undefined;
      put.packetIdentifier = 0;
    } else {
      this.#commit.put(new QueueRemoval(put, 0, 0, bytes), OPERATION_BYTES, 'later');
    }
  }

  #putExchange(queue: QueuePosition, delivery: Delivery, released: boolean): void {
    const { packetIdentifier, sequence } = delivery;
    const exchange = new ExchangePut(queue, packetIdentifier, sequence, released);
    let put = delivery.stored as QueuePut | undefined;
    if (put === undefined) {
      // A delivery that was released before a restart: its entry is gone, its exchange is not.
      put = new QueuePut(queue, delivery, undefined);
      put.present = false;
      delivery.stored = put;
    }
    exchange.replaces = put.exchange !== undefined || put.packetIdentifier > 0 || put.ticket === 0;
    put.exchange = exchange;
    // PUBLISH and PUBREL of QoS 2 wait for it.
    this.#commit.put(exchange, OPERATION_BYTES, delivery.qos === 2 ? 'now' : 'perhaps');
  }

  #changeRetained(topicName: string, message: ApplicationMessage | undefined, bytes: number): void {
    if (this.#retainedTicket !== this.#commit.begunTicket) {
      this.#retainedTicket = this.#commit.begunTicket;
      if (this.#retained.size > 0) this.#retained = new Map();
    }
    const earlier = this.#retained.get(topicName);
    if (earlier !== undefined) this.#commit.cancel(earlier);
    const change = new RetainedChange(topicName, message);
    this.#retained.set(topicName, change);
    this.#commit.put(change, OPERATION_BYTES + bytes);
  }

  #dropExchange(exchange: ExchangePut, count: 0 | 1): void {
    if (this.#commit.isOpen(exchange)) {
      this.#commit.cancel(exchange);
      if (!exchange.replaces) return;
    }
    this.#removeExchange(exchange.queue, exchange.packetIdentifier, count);
  }

  #dropExchangeWith(put: QueuePut): void {
    if (!this.#commit.isOpen(put)) this.#removeExchange(put.queue, put.packetIdentifier, 0);
    put.packetIdentifier = 0;
  }

  /** `count` is 1 where the message of the exchange is done with, and its entry gone before. */
  #removeExchange(queue: QueuePosition, packetIdentifier: number, count: 0 | 1): void {
    const removal = new ExchangeRemoval(queue, packetIdentifier, count);
    this.#commit.put(removal, OPERATION_BYTES, 'later');
  }
}

/** Of the entry, with the exchange that goes with it: of one read back, whatever there is. */
function removalOf(put: QueuePut, delivery: Delivery): QueueRemoval {
  const { ticket, exchange, packetIdentifier } = put;
  const isReadBack = ticket === 0 && exchange === undefined;
  const exchangeOf = isReadBack ? delivery.packetIdentifier : packetIdentifier;
  return new QueueRemoval(put, exchangeOf, 1, delivery.message?.bytes ?? 0);
}
