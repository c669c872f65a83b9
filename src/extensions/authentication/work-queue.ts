import { Fifo } from '../../base/fifo.js';

/**
 * Does few things at once and lets the others wait in bounded lines, one for each party (an address
 * or a user), which take turns: whoever asks for much waits behind himself.
 */
export class WorkQueue {
  readonly #atOnce: number;
  readonly #waitingMax: number;
  /** Parties that have something waiting, in the order of their turns. */
  readonly #lines = new Map<string, Fifo<() => void>>();
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
    party: string,
    isGone: () => boolean,
    work: () => Promise<T>,
  ): Promise<T | undefined> {
    if (this.#running >= this.#atOnce) {
      const ofParty = this.#lines.get(party)?.length ?? 0;
      // Whoever fills all the room he may have leaves as much to the others.
      if (this.#waiting >= this.#waitingMax || ofParty >= this.#waitingMax / 2) return undefined;
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

  #turn(party: string): Promise<void> {
    return new Promise((start) => {
      let line = this.#lines.get(party);
      if (line === undefined) {
        line = new Fifo();
        this.#lines.set(party, line);
      }
      line.push(start);
      this.#waiting++;
    });
  }

  /** Hands the place of what has ended to the next party in turn. */
  #next(): void {
    for (const [party, line] of this.#lines) {
      const start = line.shift()!;
      this.#waiting--;
      this.#lines.delete(party);
      if (line.length > 0) this.#lines.set(party, line);
      start();
      return;
    }
    this.#running--;
  }
}
