import type { Delivery } from '../session/delivery.js';
import type { CommitWaiter, QueuePosition, QueueReader } from '../session/session-store.js';
import type { ApplicationMessage } from '../wire/application-message.js';
import { DamagedRecord } from './damaged-record.js';
import type { Engine, Entry } from './engine.js';
import type { GroupCommit } from './group-commit.js';
import { bodyKey, Family, queueKey, sequenceOf } from './key.js';
import { QueuePut, type StoreOperation } from './operation.js';
import { decodeBody, decodeQueueEntry, deliveryOf, type QueueEntry } from './record.js';
import type { SharedBodies } from './shared-bodies.js';

/** Messages of one page, so that a queue of large ones does not fill the memory. */
const PAGE_BYTES_MAX = 1024 * 1024;

/** What reading queue pages needs of the store's parts. */
interface Parts {
  readonly engine: Engine;
  readonly commit: GroupCommit<StoreOperation>;
  readonly bodies: SharedBodies;
}

/** Reads pages of queues, each after everything that was put before it is committed. */
export class QueuePages {
  readonly #parts: Parts;

  constructor(engine: Engine, commit: GroupCommit<StoreOperation>, bodies: SharedBodies) {
    this.#parts = { engine, commit, bodies };
  }

  read(
    queue: QueuePosition,
    from: number,
    to: number,
    countMax: number,
    reader: QueueReader,
  ): void {
    new PageRead(this.#parts, queue, { from, to, countMax }, reader).begin();
  }
}

interface Wanted {
  readonly from: number;
  readonly to: number;
  readonly countMax: number;
}

interface Found {
  readonly sequence: number;
  readonly entry: QueueEntry;
}

class PageRead implements CommitWaiter {
  readonly #parts: Parts;
  readonly #queue: QueuePosition;
  readonly #wanted: Wanted;
  readonly #reader: QueueReader;
  readonly #ticket: number;
  /** Not needed where nothing is missing between the first entry and the last. */
  #readsKeys = false;

  constructor(parts: Parts, queue: QueuePosition, wanted: Wanted, reader: QueueReader) {
    this.#parts = parts;
    this.#queue = queue;
    this.#wanted = wanted;
    this.#reader = reader;
    this.#ticket = parts.commit.flush();
  }

  begin(): void {
    const { commit } = this.#parts;
    if (this.#ticket <= commit.committedTicket) this.#read();
    else commit.afterCommit(this);
  }

  committed(): void {
    this.begin();
  }

  #read(): void {
    this.#parts.bodies.readBegins();
    const { count, bytes } = this.#queue;
    const isPageOfSmall = bytes * this.#wanted.countMax < count * PAGE_BYTES_MAX;
    this.#readsKeys = !isPageOfSmall;
    this.#readEntries();
  }

  #readEntries(): void {
    const { sessionNumber } = this.#queue;
    const { from, to, countMax } = this.#wanted;
    const withoutKeys = !this.#readsKeys;
    const end = withoutKeys ? Math.min(to, from + countMax) : to;
    const range = {
      gte: queueKey(sessionNumber, from),
      lt: queueKey(sessionNumber, end),
      countMax,
      bytesMax: PAGE_BYTES_MAX,
      withoutKeys,
    };
    this.#parts.engine.read(range, (entries, failure) => {
      if (failure !== undefined) this.#parts.commit.fail(failure);
      else if (withoutKeys && entries.length < end - from) {
        this.#readsKeys = true;
        this.#readEntries();
      } else this.#guarded(() => this.#entriesRead(entries));
    });
  }

  #keyOf(entry: Entry, index: number): Uint8Array {
    if (this.#readsKeys) return entry.key;
    return queueKey(this.#queue.sessionNumber, this.#wanted.from + index);
  }

  #entriesRead(entries: readonly Entry[]): void {
    const found: Found[] = [];
    const bodyNumbers = new Set<number>();
    let bytes = 0;
    let valueBytes = 0;
    for (let i = 0; i < entries.length; i++) {
      const { value } = entries[i]!;
      valueBytes += value.length;
      const key = this.#keyOf(entries[i]!, i);
      const queueEntry = decodeQueueEntry({ key, value });
      const { queued } = queueEntry;
      bytes += queued.message === undefined ? queued.bodyBytes : queued.message.bytes;
      if (bytes > PAGE_BYTES_MAX && found.length > 0) break;
      found.push({ sequence: sequenceOf(key), entry: queueEntry });
      if (queued.bodyNumber !== 0) bodyNumbers.add(queued.bodyNumber);
    }
    const { to, countMax } = this.#wanted;
    const isWhole = found.length === entries.length && valueBytes < PAGE_BYTES_MAX;
    const isLast = isWhole && found.length < countMax;
    const end = isLast ? to : found[found.length - 1]!.sequence + 1;
    if (bodyNumbers.size === 0) this.#deliver(found, end, new Map());
    else this.#readBodies(found, end, [...bodyNumbers]);
  }

  #readBodies(found: readonly Found[], end: number, numbers: readonly number[]): void {
    const keys = numbers.map((number) => bodyKey(Family.Body, number));
    this.#parts.engine.getMany(keys, (values, failure) => {
      if (failure !== undefined) {
        this.#parts.commit.fail(failure);
        return;
      }
      this.#guarded(() => {
        const messages = new Map<number, ApplicationMessage>();
        for (let i = 0; i < keys.length; i++) {
          const value = values[i];
          if (value === undefined) continue;
          const message = decodeBody({ key: keys[i]!, value });
          message.storedNumber = numbers[i]!;
          messages.set(numbers[i]!, message);
        }
        this.#deliver(found, end, messages);
      });
    });
  }

  #deliver(
    found: readonly Found[],
    end: number,
    messages: ReadonlyMap<number, ApplicationMessage>,
  ): void {
    const { bodies } = this.#parts;
    const deliveries: Delivery[] = [];
    for (const { sequence, entry } of found) {
      const { queued } = entry;
      const message = queued.message ?? messages.get(queued.bodyNumber);
      if (message === undefined) {
        // Removed while this page was read: the last entry that wanted it is done with.
        if (bodies.wentDuringReads(queued.bodyNumber)) continue;
        const key = queueKey(this.#queue.sessionNumber, sequence);
        throw new DamagedRecord(key, `its message, shared body ${queued.bodyNumber}, is missing`);
      }
      const delivery = deliveryOf(entry, sequence, message);
      const put = new QueuePut(this.#queue, delivery, undefined);
      put.body = queued.bodyNumber === 0 ? undefined : bodies.get(queued.bodyNumber);
      delivery.stored = put;
      deliveries.push(delivery);
    }
    bodies.readEnds();
    this.#reader.page(deliveries, end);
  }

  /** Damage is never silent: it latches as a failure of the store. */
  #guarded(step: () => void): void {
    try {
      step();
    } catch (error) {
      if (!(error instanceof DamagedRecord)) throw error;
      const sentence = `${error.message} Stop the broker and restore its store from a backup.`;
      this.#parts.commit.fail({ sentence, cause: error });
    }
  }
}
