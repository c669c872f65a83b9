import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Delivery, DeliveryState } from '../../src/session/delivery.js';
import { InFlight } from '../../src/session/in-flight.js';

function delivery(packetIdentifier: number, sequence = 0): Delivery {
  const made = new Delivery(undefined, 1, false);
  made.packetIdentifier = packetIdentifier;
  made.sequence = sequence;
  made.state = DeliveryState.InFlight;
  return made;
}

/** What it must behave like. */
type Model = Map<number, Delivery>;

function same(inFlight: InFlight, model: Model): void {
  expect(inFlight.size).toBe(model.size);
  expect(inFlight.inOrder()).toEqual([...model.values()]);
  const sequences = [...model.values()].map(({ sequence }) => sequence);
  expect(inFlight.oldestSequence()).toBe(Math.min(Number.POSITIVE_INFINITY, ...sequences));
}

test('it is a map in the order of adding, whatever the identifiers', () => {
  const identifier = fc.oneof(
    fc.integer({ min: 1, max: 65_535 }),
    fc.integer({ min: 1, max: 40 }),
    fc.integer({ min: 0, max: 15 }).map((n) => 1 + n * 4096),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(identifier, fc.nat(3)), { maxLength: 300 }), (steps) => {
      const inFlight = new InFlight();
      const model: Model = new Map();
      let sequence = 0;
      for (const [id, kind] of steps) {
        const known = model.get(id);
        expect(inFlight.get(id)).toBe(known);
        if (known === undefined) {
          const added = delivery(id, ++sequence);
          model.set(id, added);
          inFlight.add(added);
        } else if (kind > 0) {
          model.delete(id);
          inFlight.delete(known);
          inFlight.delete(known);
        }
      }
      same(inFlight, model);
    }),
  );
});

test('one that is never acknowledged does not make it long', () => {
  const inFlight = new InFlight();
  const stuck = delivery(7);
  inFlight.add(stuck);
  for (let round = 0; round < 3; round++) {
    for (let id = 1; id <= 65_535; id++) {
      if (id === 7) continue;
      const passing = delivery(id);
      inFlight.add(passing);
      expect(inFlight.get(id) === passing && inFlight.get(7) === stuck).toBe(true);
      inFlight.delete(passing);
    }
  }
  expect(inFlight.inOrder()).toEqual([stuck]);
  expect(inFlight.slots).toBeLessThanOrEqual(16);
});

test('a long one is short again when nothing is left', () => {
  const inFlight = new InFlight();
  const all = Array.from({ length: 5000 }, (_, index) => delivery(1 + index));
  for (const each of all) inFlight.add(each);
  expect(inFlight.slots).toBeGreaterThanOrEqual(5000);
  for (const each of all) inFlight.delete(each);
  expect(inFlight.slots).toBeLessThanOrEqual(16);
});
