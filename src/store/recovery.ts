import type { Recovery } from '../broker/store.js';
import { BODY_NUMBERS, SESSION_NUMBERS } from './batch-writer.js';
import { compareBytes } from './byte-order.js';
import { DamagedRecord } from './damaged-record.js';
import { decodeDevice } from './device-record.js';
import type { DurableStore } from './durable-store.js';
import type { StoredPosition } from './earlier-position.js';
import type { Engine } from './engine.js';
import { bodyNumberOf, Family, familyPrefix, packetIdentifierOf, sessionNumberOf } from './key.js';
import {
  decodeExchange,
  decodeMark,
  decodeNumber,
  decodePosition,
  decodeRetained,
  decodeSession,
  decodeSubscription,
} from './record.js';

/** Sequences begin at 1: 0 is a delivery that is not stored. */
const EMPTY_QUEUE: StoredPosition = { headSequence: 1, tailSequence: 1, count: 0, bytes: 0 };

/**
 * Reads the engine once and tells the broker what was stored; the store goes on from there. It
 * reads no queue: that is done in pages, later. Rejects with a `DamagedRecord` that names the key.
 */
export async function recover(
  engine: Engine,
  store: DurableStore,
  recovery: Recovery,
): Promise<void> {
  await new Recoverer(engine, store, recovery).run();
}

class Recoverer {
  readonly #engine: Engine;
  readonly #store: DurableStore;
  readonly #recovery: Recovery;
  readonly #tails = new Map<number, number>();
  readonly #leftovers = new Set<number>();
  #highestBody = 0;

  constructor(engine: Engine, store: DurableStore, recovery: Recovery) {
    this.#engine = engine;
    this.#store = store;
    this.#recovery = recovery;
  }

  async run(): Promise<void> {
    const { nextSessionNumber, nextBodyNumber } = await this.#numbers();
    const bodyCounts = await this.#bodyCounts();
    await this.#removed();
    const highestSession = await this.#sessions();
    await this.#subscriptions();
    await this.#exchanges();
    await this.#received();
    await this.#retained();
    await this.#devices();
    if (highestSession >= nextSessionNumber || this.#highestBody >= nextBodyNumber) {
      throw new DamagedRecord(SESSION_NUMBERS, 'numbers beyond the reserved ones are in use');
    }
    this.#store.adopt({
      nextSessionNumber,
      nextBodyNumber,
      bodyCounts,
      sessionNumbers: this.#tails.keys(),
      leftovers: this.#leftovers,
    });
  }

  async #numbers(): Promise<{ nextSessionNumber: number; nextBodyNumber: number }> {
    let nextSessionNumber = 1;
    let nextBodyNumber = 1;
    for await (const entry of this.#engine.scan(familyPrefix(Family.Meta))) {
      if (compareBytes(entry.key, SESSION_NUMBERS) === 0) nextSessionNumber = decodeNumber(entry);
      else if (compareBytes(entry.key, BODY_NUMBERS) === 0) nextBodyNumber = decodeNumber(entry);
      else throw new DamagedRecord(entry.key, 'its name is not known');
    }
    return { nextSessionNumber, nextBodyNumber };
  }

  async #bodyCounts(): Promise<[number, number][]> {
    const counts: [number, number][] = [];
    for await (const entry of this.#engine.scan(familyPrefix(Family.BodyCount))) {
      const number = bodyNumberOf(entry.key);
      const count = decodeNumber(entry);
      if (count === 0) throw new DamagedRecord(entry.key, 'its count is 0');
      counts.push([number, count]);
      this.#highestBody = number;
    }
    return counts;
  }

  async #removed(): Promise<void> {
    for await (const entry of this.#engine.scan(familyPrefix(Family.Removed))) {
      decodeMark(entry);
      this.#leftovers.add(sessionNumberOf(entry.key));
    }
  }

  async #sessions(): Promise<number> {
    const positions = new Map<number, StoredPosition>();
    for await (const entry of this.#engine.scan(familyPrefix(Family.Position))) {
      positions.set(sessionNumberOf(entry.key), decodePosition(entry));
    }
    let highest = 0;
    for await (const entry of this.#engine.scan(familyPrefix(Family.Session))) {
      const number = sessionNumberOf(entry.key);
      const position = positions.get(number) ?? { ...EMPTY_QUEUE };
      positions.delete(number);
      this.#tails.set(number, position.tailSequence);
      this.#recovery.session(decodeSession(entry, number), position);
      highest = number;
    }
    for (const number of positions.keys()) this.#leftovers.add(number);
    return highest;
  }

  async #subscriptions(): Promise<void> {
    for await (const entry of this.#engine.scan(familyPrefix(Family.Subscription))) {
      const number = this.#liveSessionOf(entry.key);
      if (number !== 0) this.#recovery.subscription(number, decodeSubscription(entry));
    }
  }

  /** Keys are in order of identifier; the exchanges of a Session are told in order of sequence. */
  async #exchanges(): Promise<void> {
    let ofNumber = 0;
    let exchanges: [packetIdentifier: number, sequence: number, released: boolean][] = [];
    const tell = (): void => {
      exchanges.sort((a, b) => a[1] - b[1]);
      for (const exchange of exchanges) this.#recovery.exchange(ofNumber, ...exchange);
      exchanges = [];
    };
    for await (const entry of this.#engine.scan(familyPrefix(Family.Exchange))) {
      const number = this.#liveSessionOf(entry.key);
      if (number === 0) continue;
      const { sequence, released } = decodeExchange(entry);
      if (sequence >= this.#tails.get(number)!) {
        throw new DamagedRecord(entry.key, `its sequence ${sequence} is behind the queue's tail`);
      }
      if (number !== ofNumber) tell();
      ofNumber = number;
      exchanges.push([packetIdentifierOf(entry.key), sequence, released]);
    }
    tell();
  }

  async #received(): Promise<void> {
    for await (const entry of this.#engine.scan(familyPrefix(Family.Received))) {
      const number = this.#liveSessionOf(entry.key);
      if (number === 0) continue;
      decodeMark(entry);
      this.#recovery.received(number, packetIdentifierOf(entry.key));
    }
  }

  async #retained(): Promise<void> {
    for await (const entry of this.#engine.scan(familyPrefix(Family.Retained))) {
      this.#recovery.retained(decodeRetained(entry));
    }
  }

  async #devices(): Promise<void> {
    for await (const entry of this.#engine.scan(familyPrefix(Family.Device))) {
      this.#recovery.device(decodeDevice(entry));
    }
  }

  /** 0 for a record of a removed Session, which is noted to be erased. */
  #liveSessionOf(key: Uint8Array): number {
    const number = sessionNumberOf(key);
    if (this.#tails.has(number)) return number;
    this.#leftovers.add(number);
    return 0;
  }
}
