import { expect, test } from 'vitest';
import { BrokerWorld } from './broker-world.js';

const STORED = { clean: false, properties: { sessionExpiryInterval: 5 } };

test('a session that expired while the broker was down is not resumed', async () => {
  const world = await BrokerWorld.start();
  const client = world.connect('client', STORED);
  client.subscribe('t', { qos: 1 });
  client.drop();
  world.time.passWhileDown(6000);
  await world.crash();
  expect(world.broker.sessions.count).toBe(0);
  expect(world.connect('client', STORED).connack['sessionPresent']).toBe(false);
});

test('a delayed will that came due while the broker was down is published at the start', async () => {
  const world = await BrokerWorld.start();
  const watcher = world.connect('watcher', {
    clean: false,
    properties: { sessionExpiryInterval: 60 },
  });
  watcher.subscribe('will', { qos: 1 });
  watcher.drop();
  const will = { topic: 'will', payload: 'gone', qos: 1, properties: { willDelayInterval: 2 } };
  world.connect('client', { ...STORED, will }).drop();
  world.time.passWhileDown(3000);
  await world.crash();
  const back = world.connecting('watcher', { clean: false });
  back.take('connack');
  expect(back.payloads()).toEqual(['gone']);
});
