import type { EndOfTick, TickTask } from '../base/clock.js';

/** What is done at once, in the units that `act` returns. */
const TURN_COST_MAX = 1000;

/**
 * The same for each of many things, some in every tick: so long as there are few all of it is done
 * at once, and where there are many nobody waits for the last of them.
 */
export class InTurns<T> implements TickTask {
  readonly #endOfTick: EndOfTick;
  readonly #act: (thing: T) => number;
  #things: readonly T[] = [];
  #next = 0;
  #isWaiting = false;

  /** `act` returns what it cost, 1 or more. */
  constructor(endOfTick: EndOfTick, act: (thing: T) => number) {
    this.#endOfTick = endOfTick;
    this.#act = act;
  }

  /** Begins with these; what was left of the last ones is forgotten. */
  start(things: readonly T[]): void {
    this.#things = things;
    this.#next = 0;
    this.#goOn();
  }

  endOfTick(): void {
    this.#isWaiting = false;
    this.#goOn();
  }

  #goOn(): void {
    let cost = 0;
    while (this.#next < this.#things.length && cost < TURN_COST_MAX) {
      cost += this.#act(this.#things[this.#next++]!);
    }
    if (this.#next >= this.#things.length) this.#things = [];
    else if (!this.#isWaiting) {
      this.#isWaiting = true;
      this.#endOfTick.flush(this);
    }
  }
}
