import type { ApplicationMessage } from '../wire/application-message.js';

/** A message stored once for several queue entries. */
export class SharedBody {
  readonly number: number;
  /** Queue entries that refer to it, as of the batch that was closed last. */
  count: number;
  touched = false;

  constructor(number: number, count: number) {
    this.number = number;
    this.count = count;
  }
}

/**
 * How many queue entries refer to each shared body. All of it is in memory: 8 bytes' worth a body
 * on disk.
 */
export class SharedBodies {
  readonly #bodies = new Map<number, SharedBody>();
  #touched: SharedBody[] = [];
  #readsOutstanding = 0;
  readonly #goneDuringReads = new Set<number>();

  get count(): number {
    return this.#bodies.size;
  }

  recover(number: number, count: number): void {
    this.#bodies.set(number, new SharedBody(number, count));
  }

  create(number: number): SharedBody {
    const body = new SharedBody(number, 0);
    this.#bodies.set(number, body);
    return body;
  }

  get(number: number): SharedBody | undefined {
    return this.#bodies.get(number);
  }

  /** The body that a message has already; its number may be of one that is gone by now. */
  of(message: ApplicationMessage): SharedBody | undefined {
    return message.storedNumber === 0 ? undefined : this.#bodies.get(message.storedNumber);
  }

  add(body: SharedBody, difference: 1 | -1): void {
    body.count += difference;
    if (body.touched) return;
    body.touched = true;
    this.#touched.push(body);
  }

  /** The bodies whose count the closing batch has changed. Those that came to 0 are forgotten. */
  takeTouched(): readonly SharedBody[] {
    const touched = this.#touched;
    this.#touched = [];
    for (const body of touched) {
      body.touched = false;
      if (body.count > 0) continue;
      this.#bodies.delete(body.number);
      if (this.#readsOutstanding > 0) this.#goneDuringReads.add(body.number);
    }
    return touched;
  }

  readBegins(): void {
    this.#readsOutstanding++;
  }

  readEnds(): void {
    if (--this.#readsOutstanding === 0) this.#goneDuringReads.clear();
  }

  /** Whether a read that is outstanding may rightly find an entry without its body. */
  wentDuringReads(number: number): boolean {
    return this.#goneDuringReads.has(number);
  }
}
