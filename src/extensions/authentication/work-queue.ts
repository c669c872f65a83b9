import { Fifo } from '../../base/fifo.js';

/** For whom work is done. */
export interface Party {
  /** An address: addresses take turns. */
  readonly host: string;
  /** The users of one address take turns among themselves. */
  readonly userName: string | undefined;
}

/** What waits for one address. */
class Line {
  readonly #users = new Map<string, Fifo<() => void>>();
  length = 0;

  push(user: string, start: () => void): void {
    let ofUser = this.#users.get(user);
    if (ofUser === undefined) {
      ofUser = new Fifo();
      this.#users.set(user, ofUser);
    }
    ofUser.push(start);
    this.length++;
  }

  shift(): () => void {
    const [[user, ofUser]] = this.#users as unknown as [[string, Fifo<() => void>]];
    const start = ofUser.shift()!;
    this.length--;
    this.#users.delete(user);
    if (ofUser.length > 0) this.#users.set(user, ofUser);
    return start;
  }
}

/**
 * Does few things at once and lets the others wait in bounded lines. Addresses take turns, and so
 * do the users of one address: whoever asks for much waits behind himself.
 */
export class WorkQueue {
  readonly #atOnce: number;
  readonly #waitingMax: number;
  /** By address, in the order of their turns. */
  readonly #lines = new Map<string, Line>();
  #running = 0;
  #waiting = 0;

  constructor(atOnce: number, waitingMax: number) {
    this.#atOnce = atOnce;
    this.#waitingMax = waitingMax;
  }

  get running(): number {
    return this.#running;
  }

  get waiting(): number {
    return this.#waiting;
  }

  /**
   * Runs the work when it is its turn. Undefined when there is no room to wait, or when whoever
   * wanted it has gone meanwhile.
   */
  async run<T>(
    party: Party,
    isGone: () => boolean,
    work: () => Promise<T>,
  ): Promise<T | undefined> {
    if (this.#running >= this.#atOnce) {
      const ofHost = this.#lines.get(party.host)?.length ?? 0;
      // Whoever fills all the room he may have leaves as much to the others.
      if (this.#waiting >= this.#waitingMax || ofHost >= this.#waitingMax / 2) return undefined;
      await this.#turn(party);
      if (isGone()) {
        this.#next();
        return undefined;
      }
    } else this.#running++;
    try {
      return await work();
    } finally {
      this.#next();
    }
  }

  #turn({ host, userName }: Party): Promise<void> {
    return new Promise((start) => {
      let line = this.#lines.get(host);
      if (line === undefined) {
        line = new Line();
        this.#lines.set(host, line);
      }
      line.push(userName ?? '', start);
      this.#waiting++;
    });
  }

  /** Hands the place of what has ended to whoever is next. */
  #next(): void {
    for (const [host, line] of this.#lines) {
      const start = line.shift();
      this.#waiting--;
      this.#lines.delete(host);
      if (line.length > 0) this.#lines.set(host, line);
      start();
      return;
    }
    this.#running--;
  }
}
