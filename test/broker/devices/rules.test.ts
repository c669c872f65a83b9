import { expect, test } from 'vitest';
import { BrokerWorld } from '../broker-world.js';

test('a 5.0 client is told the Keep Alive of its rule, an earlier one keeps its own', async () => {
  const rules = [{ match: { client: 'nb-*' }, serverKeepAliveSeconds: 1740 }];
  const world = await BrokerWorld.start({ devices: { rules } });
  const told = (connack: Readonly<Record<string, unknown>>): unknown =>
    (connack['properties'] as { serverKeepAlive?: number } | undefined)?.serverKeepAlive;
  expect(told(world.connect('nb-1', { keepalive: 30 }).connack)).toBe(1740);
  expect(told(world.connect('other', { keepalive: 30 }).connack)).toBeUndefined();
  const old = world.connect('nb-2', { keepalive: 30 }, 4);
  world.advance(45_500);
  expect(old.isClosed).toBe(true);
});

test('a client without Keep Alive is closed after the silence its rule allows', async () => {
  const rules = [{ match: { user: 'plug?' }, idleSecondsMax: 60 }];
  const world = await BrokerWorld.start({ devices: { rules } });
  const plug = world.connect('a', { username: 'plug1', keepalive: 0 }, 4);
  const other = world.connect('b', { username: 'plug10', keepalive: 0 }, 4);
  world.advance(50_000);
  plug.send({ cmd: 'pingreq' });
  world.advance(59_000);
  expect(plug.isClosed).toBe(false);
  world.advance(2000);
  expect(plug.isClosed).toBe(true);
  expect(other.isClosed).toBe(false);
  const { sentence } = world.log.find(({ event }) => event === 'disconnected')!;
  expect(sentence).toContain('nothing came for 60 s, the longest silence allowed to it');
});

test('the first rule that matches and has the setting decides it', async () => {
  const rules = [
    { match: { client: 'mcu-*' }, inFlightMax: 2 },
    { match: {}, inFlightMax: 3, packetBytesMax: 100 },
  ];
  const world = await BrokerWorld.start({ devices: { rules } });
  const publisher = world.connect('publisher');
  const got = (name: string): string[] => {
    const client = world.connect(name, {}, 4);
    client.subscribe(`to/${name}`, { qos: 1 });
    for (const payload of ['x'.repeat(100), 'a', 'b', 'c', 'd']) {
      publisher.publish(`to/${name}`, payload, { qos: 1 });
    }
    return client.payloads();
  };
  expect(got('mcu-1')).toEqual(['a', 'b']);
  expect(got('pc')).toEqual(['a', 'b', 'c']);
});
