import { expect, test } from 'vitest';
import { BrokerWorld } from '../broker-world.js';

test('a client without trouble has a score of 100, with its counts and times', async () => {
  const world = await BrokerWorld.start();
  world.advance(10);
  const client = world.connect('good', {}, 4);
  client.subscribe('t', { qos: 1 });
  world.connect('publisher').publish('t', 'hello', { qos: 1 });
  world.advance(250);
  client.puback(Number(client.take('publish')['messageId']));
  const [health] = world.broker.devices.health();
  expect(health).toMatchObject({
    clientIdentifier: 'good',
    isConnected: true,
    score: 100,
    sentence: 'nothing stands out',
    connections: 1,
    largestAcknowledgedBytes: 12,
    packetBytesMax: undefined,
  });
  expect(health!.acknowledgementMaxMs).toBe(250);
  expect(health!.acknowledgementMedianMs).toBeGreaterThanOrEqual(250 / 1.42);
  client.disconnect();
  expect(world.broker.devices.health().find((d) => d.clientIdentifier === 'good')).toMatchObject({
    isConnected: false,
    ends: { 'client-disconnect': 1 },
  });
});

test('those not seen for longest are forgotten beyond the limit', async () => {
  const world = await BrokerWorld.start({ devices: { devicesMax: 2 } });
  for (const name of ['a', 'b', 'a', 'c']) world.connect(name).disconnect();
  const names = world.broker.devices.health().map(({ clientIdentifier }) => clientIdentifier);
  expect(names).toEqual(['a', 'c']);
});

test('what troubles a client lowers its score and is said', async () => {
  const world = await BrokerWorld.start();
  for (let i = 0; i < 30; i++) world.connect('restless', {}, 4).drop();
  const [health] = world.broker.devices.health();
  expect(health!.score).toBeLessThan(100);
  expect(health!.sentence).toBe('it has connected 30 times');
});
