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

test('a rule before it may take one of them out', async () => {
  const rules = [
    { match: { client: 'display' }, idleSecondsMax: 0 },
    { match: { listener: 'mqtt://*' }, idleSecondsMax: 60 },
  ];
  const world = await BrokerWorld.start({ devices: { rules } });
  const display = world.connect('display', { keepalive: 0 }, 4);
  const other = world.connect('other', { keepalive: 0 }, 4);
  world.advance(120_000);
  expect(display.isClosed).toBe(false);
  expect(other.isClosed).toBe(true);
});

test('how a client is served is told while it is there', async () => {
  const rules = [
    {
      match: { client: 'mcu-*' },
      inFlightMax: 2,
      packetBytesMax: 256,
      paceBytesPerSecond: 500,
      serverKeepAliveSeconds: 900,
      idleSecondsMax: 3600,
    },
  ];
  const world = await BrokerWorld.start({ devices: { rules } });
  const servedOf = (name: string): unknown =>
    world.broker.devices.health().find(({ clientIdentifier }) => clientIdentifier === name)?.served;
  const mcu = world.connect('mcu-1', { keepalive: 30 });
  world.connect('mcu-2', { keepalive: 30 }, 4);
  world.connect('pc', { keepalive: 60, properties: { maximumPacketSize: 1000 } });
  const ruled = {
    inFlightMax: 2,
    packetBytesMax: 256,
    paceBytesPerSecond: 500,
    isOnePacketPerWrite: true,
    keepAliveSeconds: 900,
    idleSecondsMax: 3600,
  };
  expect(servedOf('mcu-1')).toEqual(ruled);
  expect(servedOf('mcu-2')).toEqual({ ...ruled, keepAliveSeconds: 30 });
  expect(servedOf('pc')).toEqual({
    inFlightMax: 256,
    packetBytesMax: 1000,
    paceBytesPerSecond: undefined,
    isOnePacketPerWrite: false,
    keepAliveSeconds: 60,
    idleSecondsMax: 0,
  });
  mcu.disconnect();
  expect(servedOf('mcu-1')).toBeUndefined();
});

test('messages larger than a client takes are told of it', async () => {
  const rules = [{ match: { client: 'tiny' }, packetBytesMax: 64 }];
  const world = await BrokerWorld.start({ devices: { rules } });
  const tiny = world.connect('tiny', {}, 4);
  tiny.subscribe('t', { qos: 1 });
  const publisher = world.connect('publisher');
  for (const qos of [0, 1] as const) publisher.publish('t', 'x'.repeat(100), { qos });
  publisher.publish('t', 'short', { qos: 1 });
  expect(tiny.payloads()).toEqual(['short']);
  const health = world.broker.devices.health().find((d) => d.clientIdentifier === 'tiny');
  expect(health).toMatchObject({
    oversize: 2,
    score: 90,
    sentence: '2 messages were larger than it takes',
  });
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
