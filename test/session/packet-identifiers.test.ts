import { expect, test } from 'vitest';
import { PacketIdentifiers } from '../../src/session/packet-identifiers.js';

test('they go round, from 1 to 65,535, and pass by those in use', () => {
  const identifiers = new PacketIdentifiers();
  const inUse = new Set([3, 4, 65_535, 1]);
  const given = Array.from({ length: 65_531 }, () => identifiers.allocate(inUse));
  expect(given.slice(0, 3)).toEqual([2, 5, 6]);
  expect(given.at(-1)).toBe(65_534);
  expect(new Set(given).size).toBe(65_531);
  expect(identifiers.allocate(inUse)).toBe(2);
});

test('one that was given back is not the next one', () => {
  const identifiers = new PacketIdentifiers();
  const none = new Set<number>();
  expect([identifiers.allocate(none), identifiers.allocate(none)]).toEqual([1, 2]);
});
