import { expect, test } from 'vitest';
import { ReadTurns, type TurnReader } from '../../src/transport/read-turns.js';

const oneTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Who has always as much to send as makes it wait again, or never again. */
class Sender implements TurnReader {
  turns = 0;
  readonly #turns: ReadTurns;
  readonly #isEndless: boolean;

  constructor(turns: ReadTurns, isEndless: boolean) {
    this.#turns = turns;
    this.#isEndless = isEndless;
    turns.wait(this);
  }

  readOn(): void {
    this.turns++;
    // As the system hands it out: later in the turn.
    if (this.#isEndless) process.nextTick(() => this.#turns.wait(this));
  }
}

test('of many that send without end one is read in a turn, each as often as the others', async () => {
  const turns = new ReadTurns();
  const senders = Array.from({ length: 8 }, () => new Sender(turns, true));
  const all = (): number => senders.reduce((sum, sender) => sum + sender.turns, 0);
  for (let turn = 1; turn <= 40; turn++) {
    await oneTurn();
    expect(all()).toBe(turn);
  }
  expect(senders.map((sender) => sender.turns)).toEqual(Array(8).fill(5));
});

test('many that have sent much once do not wait for one another', async () => {
  const turns = new ReadTurns();
  const senders = Array.from({ length: 5000 }, () => new Sender(turns, false));
  let count = 0;
  for (; turns.waiting > 0; count++) await oneTurn();
  expect(count).toBeLessThan(100);
  expect(senders.every((sender) => sender.turns === 1)).toBe(true);
});
