import { expect, test } from 'vitest';
import { BrokerWorld } from '../broker-world.js';

test.each([4, 5] as const)(
  'SUBSCRIBE sent again each second replays nothing (%d)',
  async (version) => {
    const world = await BrokerWorld.start();
    world.connect('publisher').publish('t/a', 'kept', { qos: 1, retain: true });
    const client = world.connect('esp', {}, version);
    const subscribe = client.subscribePacket('t/#', { qos: 1 });
    client.send(subscribe);
    expect(client.brief()).toEqual([`suback ${subscribe['messageId']}`, 'publish 1 kept']);
    for (let i = 0; i < 3; i++) {
      world.advance(1000);
      client.send(subscribe);
      expect(client.brief()).toEqual([`suback ${subscribe['messageId']}`]);
    }
    expect(world.broker.statistics.resentReceived).toBe(3);
    client.puback(1);
    client.send(client.subscribePacket('t/#', { qos: 1 }));
    expect(client.payloads()).toEqual(['kept']);
    world.advance(20_000);
    client.puback(2);
    client.send(subscribe);
    expect(client.payloads()).toEqual(['kept']);
  },
);

test('PUBLISH sent again each second at QoS 2 is routed once, and each is answered', async () => {
  const world = await BrokerWorld.start();
  const watcher = world.connect('watcher');
  watcher.subscribe('t', { qos: 2 });
  const client = world.connect('esp', {}, 5);
  const publish = client.publishPacket('t', 'm', { qos: 2 });
  for (let i = 0; i < 4; i++) {
    client.send({ ...publish, dup: i > 0 });
    world.advance(1000);
  }
  expect(client.packets().map(({ cmd }) => cmd)).toEqual(Array(4).fill('pubrec'));
  expect(watcher.payloads()).toEqual(['m']);
  expect(client.isClosed).toBe(false);
  expect(world.broker.statistics.resentReceived).toBe(3);
});
