import { expect, test } from 'vitest';
import { BrokerWorld } from '../broker-world.js';

function linesOf(world: BrokerWorld): readonly unknown[] {
  return world.log.filter(({ event }) => event === 'orphaned_sessions');
}

test('sessions under ever new identifiers from one address are told once', async () => {
  const world = await BrokerWorld.start();
  for (let i = 0; i < 50; i++) world.connect(`rnd-${1000 + i}`, { clean: false }, 4).drop();
  expect(linesOf(world)).toMatchObject([{ count: 20 }]);
  expect(world.broker.statistics.orphansFound).toBe(1);
});

test('a house full of devices behind one address is none', async () => {
  const world = await BrokerWorld.start();
  const names = Array.from({ length: 50 }, (_, i) => `dev-${1000 + i}`);
  for (const name of names.slice(0, 15)) world.connect(name, { clean: false }, 4).drop();
  for (const name of names.slice(0, 15)) world.connect(name, { clean: false }, 4).drop();
  for (const name of names.slice(15)) world.connect(name, { clean: false }, 4);
  for (let i = 0; i < 50; i++) world.connect(`clean-${i}`, {}, 4).drop();
  expect(linesOf(world)).toEqual([]);
});
