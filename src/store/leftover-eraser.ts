import type { CommitWaiter } from '../session/session-store.js';
import { DamagedRecord } from './damaged-record.js';
import type { Engine, Entry } from './engine.js';
import type { GroupCommit } from './group-commit.js';
import { Family, sessionKey, sessionRange } from './key.js';
import { Erasure, type StoreOperation } from './operation.js';
import { decodeQueueEntry } from './record.js';
import type { SharedBodies } from './shared-bodies.js';

const PAGE_ENTRIES_MAX = 256;
const PAGE_BYTES_MAX = 256 * 1024;
/** The queue first: its references to shared bodies are what costs space. */
const FAMILIES = [
  Family.Queue,
  Family.Subscription,
  Family.Exchange,
  Family.Received,
  Family.Position,
] as const;

/**
 * Erases what removed Sessions leave, in the background: one Session at a time and one page a
 * batch. The mark under `D` goes with the last page, so a crash in between only means that recovery
 * adds the number again. Nothing reads these records any more.
 */
export class LeftoverEraser implements CommitWaiter {
  readonly #engine: Engine;
  readonly #commit: GroupCommit<StoreOperation>;
  readonly #bodies: SharedBodies;
  /** In order of removal; the first is being erased. */
  readonly #numbers = new Set<number>();
  #family = 0;
  #ticket = 0;
  #running = false;
  #stopped = false;

  constructor(engine: Engine, commit: GroupCommit<StoreOperation>, bodies: SharedBodies) {
    this.#engine = engine;
    this.#commit = commit;
    this.#bodies = bodies;
  }

  isErasing(sessionNumber: number): boolean {
    return this.#numbers.has(sessionNumber);
  }

  /** The removal itself must have been put already. */
  add(sessionNumber: number): void {
    this.#numbers.add(sessionNumber);
    if (!this.#running) this.#start();
  }

  /** What is left stays for the next start. */
  stop(): void {
    this.#stopped = true;
  }

  committed(): void {
    if (this.#stopped) return;
    if (this.#ticket > this.#commit.committedTicket) this.#commit.afterCommit(this);
    else this.#readPage();
  }

  #start(): void {
    this.#running = true;
    this.#family = 0;
    this.#ticket = this.#commit.openTicket;
    this.#commit.afterCommit(this);
  }

  #readPage(): void {
    const [sessionNumber] = this.#numbers;
    const range = {
      ...sessionRange(FAMILIES[this.#family]!, sessionNumber!),
      countMax: PAGE_ENTRIES_MAX,
      bytesMax: PAGE_BYTES_MAX,
    };
    this.#engine.read(range, (entries, failure) => {
      if (failure !== undefined) this.#commit.fail(failure);
      else if (!this.#stopped) this.#erase(sessionNumber!, entries);
    });
  }

  #erase(sessionNumber: number, entries: readonly Entry[]): void {
    if (entries.length > 0) {
      const keys = entries.map((entry) => entry.key);
      this.#commit.put(new Erasure(keys, this.#bodyNumbersIn(entries)), 0);
      this.#ticket = this.#commit.openTicket;
      this.#commit.afterCommit(this);
    } else if (++this.#family < FAMILIES.length) {
      this.#readPage();
    } else {
      this.#commit.put(new Erasure([sessionKey(Family.Removed, sessionNumber)], []), 0);
      this.#numbers.delete(sessionNumber);
      this.#running = false;
      if (this.#numbers.size > 0) this.#start();
    }
  }

  #bodyNumbersIn(entries: readonly Entry[]): number[] {
    if (FAMILIES[this.#family] !== Family.Queue) return [];
    const numbers: number[] = [];
    for (const entry of entries) {
      const bodyNumber = referenceOf(entry);
      if (this.#bodies.get(bodyNumber) !== undefined) numbers.push(bodyNumber);
    }
    return numbers;
  }
}

/** A damaged entry of a removed Session goes like the others; at worst its shared body stays. */
function referenceOf(entry: Entry): number {
  try {
    return decodeQueueEntry(entry).queued.bodyNumber;
  } catch (error) {
    if (error instanceof DamagedRecord) return 0;
    throw error;
  }
}
