import { describe, expect, test } from 'vitest';
import { RetainedDelivery } from '../../src/broker/retained-delivery.js';
import { ReasonCode } from '../../src/wire/reason-code.js';
import { BrokerWorld } from './broker-world.js';

const STORED = { clean: false, properties: { sessionExpiryInterval: 3600 } };

describe('a client that sends and does not read', () => {
  const PINGREQS = Uint8Array.from({ length: 1000 }, (_, i) => (i % 2 === 0 ? 0xc0 : 0));

  test('is disconnected before its answers fill the memory', async () => {
    const world = await BrokerWorld.start({
      limits: { outboxBytesMax: 5000, packetBytesMax: 10_000 },
    });
    const client = world.connect('deaf');
    client.clog();
    for (let i = 0; i < 100 && !client.isClosed; i++) client.sendBytes(PINGREQS);
    expect(client.isClosed).toBe(true);
    expect(client.unsentBytes).toBeLessThan(25_000);
    const { reasonCode } = client.packets().at(-1)!;
    expect(reasonCode).toBe(ReasonCode.QuotaExceeded);
  });

  test('is served again and again while it reads', async () => {
    const world = await BrokerWorld.start({
      limits: { outboxBytesMax: 5000, packetBytesMax: 10_000 },
    });
    const client = world.connect('quick');
    for (let i = 0; i < 100; i++) client.sendBytes(PINGREQS);
    expect(client.packets()).toHaveLength(50_000);
  });
});

describe('Keep Alive while the broker does not read', () => {
  test('does not end a client that waits for a hook', async () => {
    const world = await BrokerWorld.start();
    let allow = (_: ReasonCode): void => {};
    world.broker.hooks.authorizePublish.add(() => new Promise((resolve) => (allow = resolve)));
    const client = world.connect('patient', { keepalive: 10 });
    client.publish('t', 'm', { qos: 1, messageId: 1 });
    client.send({ cmd: 'pingreq' });
    world.advance(60_000);
    expect(client.isClosed).toBe(false);
    allow(ReasonCode.Success);
    await world.settle();
    expect(client.brief()).toEqual(['puback 1 0x10', 'pingresp']);
    world.advance(14_000);
    expect(client.isClosed).toBe(false);
    world.advance(2_000);
    expect(client.isClosed).toBe(true);
  });

  test('does not end a publisher that waits for the disk', async () => {
    const world = await BrokerWorld.start({
      holdsCommits: true,
      limits: { storePendingBytesMax: 100 },
    });
    const client = world.connect('patient', { ...STORED, keepalive: 10 });
    client.publish('t', 'a'.repeat(200), { qos: 1, messageId: 1, retain: true });
    client.send({ cmd: 'pingreq' });
    world.advance(60_000);
    expect(client.isClosed).toBe(false);
    world.commitAll();
    expect(client.brief()).toEqual(['puback 1 0x10', 'pingresp']);
  });
});

describe('a disk that stands still', () => {
  const limits = { receiveMaximum: 10 };

  test.each(['SUBSCRIBE', 'UNSUBSCRIBE', 'PUBREL'])(
    'holds up who goes on sending %s',
    async (kind) => {
      const world = await BrokerWorld.start({ holdsCommits: true, limits });
      const client = world.connect('client', STORED);
      client.send(client.subscribePacket('first'));
      for (let i = 1; i <= 30; i++) {
        if (kind === 'SUBSCRIBE') client.send(client.subscribePacket('t'));
        else if (kind === 'PUBREL') client.send({ cmd: 'pubrel', messageId: i });
        else client.send({ cmd: 'unsubscribe', messageId: i, unsubscriptions: ['t'] });
      }
      expect(client.isPaused).toBe(true);
      expect(client.packets()).toEqual([]);
      world.commitAll();
      expect(client.isPaused).toBe(false);
      expect(client.packets()).toHaveLength(31);
    },
  );
});

describe('more Topic Filters in one packet than are carried out at once', () => {
  const filters = Array.from({ length: 10_001 }, (_, i) => `t/${i}`);

  test('end the connection of SUBSCRIBE', async () => {
    const world = await BrokerWorld.start({ limits: { subscriptionsPerSessionMax: 10 } });
    const client = world.connect('greedy');
    const subscriptions = filters.map((topic) => ({ topic, qos: 0 }));
    client.send({ cmd: 'subscribe', messageId: 1, subscriptions });
    expect(client.take('disconnect')['reasonCode']).toBe(ReasonCode.QuotaExceeded);
    expect(client.isClosed).toBe(true);
  });

  test('end the connection of UNSUBSCRIBE', async () => {
    const world = await BrokerWorld.start({ limits: { subscriptionsPerSessionMax: 10 } });
    const client = world.connect('greedy');
    client.send({ cmd: 'unsubscribe', messageId: 1, unsubscriptions: filters });
    expect(client.take('disconnect')['reasonCode']).toBe(ReasonCode.QuotaExceeded);
  });
});

test('who subscribes again while retained messages come begins anew, once', async () => {
  const world = await BrokerWorld.start({ limits: { outboxBytesMax: 200 } });
  const publisher = world.connect('publisher');
  for (let i = 0; i < 5; i++) publisher.publish(`t/${i}`, 'a'.repeat(150), { retain: true });
  const client = world.connect('client');
  client.clog();
  for (let i = 0; i < 4; i++) client.send(client.subscribePacket('t/+'));
  client.unclog();
  // Two fit before the first packet is read; each later SUBSCRIBE begins with the first one again.
  expect(client.publishes().map(({ topic }) => topic)).toEqual([
    't/0',
    't/1',
    't/0',
    't/1',
    't/2',
    't/3',
    't/4',
  ]);
});

test('retained messages for a client that has left drive out nothing of its queue', async () => {
  const world = await BrokerWorld.start({ limits: { outboxBytesMax: 100, queuedMessagesMax: 3 } });
  const publisher = world.connect('publisher');
  for (let i = 0; i < 9; i++) {
    publisher.publish(`r/${i}`, `r${i} ${'a'.repeat(150)}`, { retain: true, qos: 1 });
  }
  const client = world.connect('client', STORED);
  client.subscribe('live', { qos: 1 });
  client.clog();
  client.send(client.subscribePacket('r/+', { qos: 1 }));
  publisher.publish('live', 'live', { qos: 1 });
  client.drop();
  const again = world.connect('client', STORED);
  const names = again.payloads().map((payload) => payload.split(' ')[0]);
  expect(names).toEqual(['r0', 'live', 'r1', 'r2']);
  expect(world.broker.statistics.dropped.queue_full).toBe(6);
});

test('who searches all retained messages for nothing lets others in between', async () => {
  const world = await BrokerWorld.start();
  const publisher = world.connect('publisher');
  for (let i = 0; i < 500; i++) publisher.publish(`t/${i}/a`, 'm', { retain: true });
  const greedy = world.connect('greedy');
  let ticks = 0;
  const { flush } = world.time;
  world.time.flush = (task) => {
    if (task instanceof RetainedDelivery) ticks++;
    flush.call(world.time, task);
  };
  const subscriptions = Array.from({ length: 1000 }, (_, i) => ({ topic: `+/+/x${i}`, qos: 0 }));
  greedy.send({ cmd: 'subscribe', messageId: 1, subscriptions });
  expect(greedy.take('suback')['messageId']).toBe(1);
  expect(ticks).toBeGreaterThan(2);
  publisher.publish('late/late/x999', 'late', { retain: true });
  expect(greedy.payloads()).toEqual(['late']);
});
