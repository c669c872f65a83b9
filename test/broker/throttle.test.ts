import { expect, test } from 'vitest';
import { BrokerWorld } from './broker-world.js';

test('publishers are not read while too much waits for the disk, others are', async () => {
  const limits = { storePendingBytesMax: 5000 };
  const world = await BrokerWorld.start({ limits, holdsCommits: true });
  const [a, b, other] = [world.connect('a'), world.connect('b'), world.connect('other')];
  const retained = (i: number) =>
    a.publishPacket(`t/${i}`, 'x'.repeat(900), { qos: 1, retain: true });
  a.send(...Array.from({ length: 10 }, (_, i) => retained(i)));
  expect(a.isPaused).toBe(true);
  expect(world.broker.retained.count).toBeLessThan(10);
  b.publish('t/b', 'y', { qos: 1, retain: true });
  expect(b.isPaused).toBe(true);
  other.publish('nobody', '', { qos: 1 });
  other.send({ cmd: 'pingreq' });
  expect(other.brief()).toEqual(['puback 256 0x10', 'pingresp']);
  // Who goes while it waits is forgotten.
  b.drop();
  world.commitAll();
  expect(a.isPaused).toBe(false);
  expect(a.brief()).toHaveLength(10);
  expect(world.broker.retained.count).toBe(11);
});

test('behind a failure nobody is read again', async () => {
  const limits = { storePendingBytesMax: 0 };
  const world = await BrokerWorld.start({ limits, holdsCommits: true });
  const a = world.connect('a');
  a.publish('t', 'x', { qos: 1, retain: true });
  world.engine.failAt = world.engine.operations + 1;
  world.commitAll();
  expect(world.failure).toBeDefined();
  expect(a.isPaused).toBe(true);
  expect(a.brief()).toEqual([]);
});
