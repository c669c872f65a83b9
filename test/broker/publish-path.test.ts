import { describe, expect, test } from 'vitest';
import { BrokerWorld } from './broker-world.js';
import type { Fields } from './packets.js';

const FOREVER = { properties: { sessionExpiryInterval: 1000 } };
const KEPT = { clean: false, ...FOREVER };

describe('overlapping subscriptions are one copy', () => {
  test('with the highest QoS, all identifiers once, and RETAIN if one wants it', async () => {
    const world = await BrokerWorld.start();
    const a = world.connect('a');
    const subscribe = (topic: string, options: Fields, subscriptionIdentifier: number): unknown =>
      a.subscribe(topic, { rh: 2, ...options }, { subscriptionIdentifier });
    subscribe('a/b', { qos: 0 }, 1);
    subscribe('a/+', { qos: 2 }, 2);
    subscribe('a/#', { qos: 1, rap: true }, 3);
    subscribe('#', { qos: 1 }, 3);
    const b = world.connect('b');
    b.publish('a/b', 'x', { qos: 2, retain: true });
    const publishes = a.publishes();
    expect(publishes).toHaveLength(1);
    expect(publishes[0]).toMatchObject({ qos: 2, retain: true });
    const { subscriptionIdentifier } = publishes[0]!['properties'] as {
      subscriptionIdentifier: number[];
    };
    expect([...subscriptionIdentifier].sort()).toEqual([1, 2, 3]);
    b.publish('a/b/c', 'y', { qos: 0, retain: true });
    const properties = { subscriptionIdentifier: 3 };
    expect(a.publishes()).toMatchObject([{ qos: 0, retain: true, properties }]);
    a.unsubscribe('a/#');
    b.publish('a/b', 'z', { qos: 1, retain: true });
    expect(a.publishes()).toMatchObject([{ qos: 1, retain: false }]);
  });

  test('No Local takes only its own subscription away', async () => {
    const world = await BrokerWorld.start();
    const a = world.connect('a');
    a.subscribe('a/+', { qos: 2, nl: true }, { subscriptionIdentifier: 1 });
    a.publish('a/b', 'own', { qos: 2 });
    expect(a.publishes()).toEqual([]);
    a.subscribe('a/#', { qos: 1, nl: false }, { subscriptionIdentifier: 2 });
    a.publish('a/b', 'own', { qos: 2 });
    const own = { qos: 1, properties: { subscriptionIdentifier: 2 } };
    expect(a.publishes()).toMatchObject([own]);
    const b = world.connect('b');
    b.publish('a/b', 'other', { qos: 2 });
    expect(a.publishes()).toMatchObject([
      { qos: 2, properties: { subscriptionIdentifier: [2, 1] } },
    ]);
  });
});

describe('answers', () => {
  test('tell of no subscribers, of some, and wait for the store only where it is asked', async () => {
    const world = await BrokerWorld.start({ holdsCommits: true });
    const a = world.connect('a');
    a.publish('t', '', { qos: 1 });
    expect(a.brief()).toEqual(['puback 256 0x10']);
    a.subscribe('t', { qos: 1 });
    a.publish('t', 'x', { qos: 1 });
    expect(a.brief()).toEqual(['publish 1 x', 'puback 258']);
    a.publish('t', '', { qos: 1, retain: true });
    expect(a.brief()).toEqual(['publish 2 ', 'puback 259']);
    a.publish('t', 'kept', { qos: 1, retain: true });
    expect(a.brief()).toEqual(['publish 3 kept']);
    world.commitAll();
    expect(a.brief()).toEqual(['puback 260']);
  });

  test('beyond the limits of retained messages the publisher is told or the message delivered', async () => {
    const world = await BrokerWorld.start({ limits: { retainedMessagesMax: 1 } });
    const watcher = world.connect('watcher');
    watcher.subscribe('#');
    const five = world.connect('five');
    const four = world.connect('four', {}, 4);
    five.publish('one', 'a', { qos: 1, retain: true });
    five.publish('two', 'b', { qos: 1, retain: true });
    five.publish('two', 'c', { retain: true });
    four.publish('two', 'd', { qos: 1, retain: true });
    five.publish('one', 'e', { qos: 1, retain: true });
    expect(five.brief()).toEqual(['puback 256', 'puback 257 0x97', 'puback 258']);
    expect(four.brief()).toEqual(['puback 256']);
    expect(watcher.payloads()).toEqual(['a', 'c', 'd', 'e']);
    expect(world.broker.retained.count).toBe(1);
    expect(world.broker.statistics.dropped.retained_full).toBe(3);
    five.publish('one', '', { retain: true });
    expect(world.broker.retained).toMatchObject({ count: 0, bytes: 0 });
  });

  test('a full queue that refuses has given the message to nobody', async () => {
    const limits = { queueOverflow: 'refuse', queuedMessagesMax: 1 } as const;
    const world = await BrokerWorld.start({ limits });
    const watcher = world.connect('watcher');
    watcher.subscribe('t', { qos: 1 });
    world.connect('away', FOREVER).subscribe('t', { qos: 1 });
    world.clients[1]!.drop();
    const a = world.connect('a');
    a.publish('t', '1', { qos: 1 });
    a.publish('t', '2', { qos: 1 });
    a.publish('t', '3', { qos: 2 });
    a.publish('t', '4', { qos: 0 });
    expect(a.brief()).toEqual(['puback 256', 'puback 257 0x97', 'pubrec 258 0x97']);
    expect(watcher.payloads()).toEqual(['1', '4']);
    expect(world.connect('away', KEPT).payloads()).toEqual(['1']);
  });
});

test('a share refuses only when no member has room', async () => {
  const limits = { queueOverflow: 'refuse', queuedMessagesMax: 1 } as const;
  const world = await BrokerWorld.start({ limits });
  for (const name of ['x', 'y']) world.connect(name, FOREVER).subscribe('$share/s/t', { qos: 1 });
  for (const client of world.clients) client.drop();
  const a = world.connect('a');
  for (const payload of ['1', '2', '3']) a.publish('t', payload, { qos: 1 });
  expect(a.brief()).toEqual(['puback 256', 'puback 257', 'puback 258 0x97']);
  const taken = ['x', 'y'].flatMap((name) => world.connect(name, KEPT).payloads());
  expect(taken.sort()).toEqual(['1', '2']);
});

describe('a QoS 2 message of a stored Session', () => {
  test.for(['t', '$share/s/t'])(
    'goes to QoS 0 on %s once its record is durable',
    async (filter) => {
      const world = await BrokerWorld.start({ holdsCommits: true });
      const a = world.connect('a', FOREVER);
      const watcher = world.connect('watcher');
      watcher.subscribe(filter, { qos: 0 });
      a.publish('t', 'exactly', { qos: 2 });
      expect(watcher.payloads()).toEqual([]);
      expect(a.brief()).toEqual([]);
      world.commit();
      expect(watcher.payloads()).toEqual(['exactly']);
      expect(a.brief()).toEqual(['pubrec 256']);
    },
  );

  test('waits for its record also where a hook has rewritten it', async () => {
    const world = await BrokerWorld.start({ holdsCommits: true });
    const payload = new TextEncoder().encode('rewritten');
    world.broker.hooks.changePublish.add((_, message) => ({ ...message, payload }));
    const a = world.connect('a', FOREVER);
    const watcher = world.connect('watcher');
    watcher.subscribe('t', { qos: 0 });
    a.publish('t', 'exactly', { qos: 2 });
    expect(watcher.payloads()).toEqual([]);
    world.commit();
    expect(watcher.payloads()).toEqual(['rewritten']);
  });

  test('and lost with the process it reaches everybody once when it comes again', async () => {
    const world = await BrokerWorld.start({ holdsCommits: true });
    const a = world.connect('a', FOREVER);
    world.commitAll();
    const watcher = world.connect('watcher');
    watcher.subscribe('t', { qos: 0 });
    a.publish('t', 'exactly', { qos: 2, messageId: 9 });
    await world.crash();
    expect(watcher.payloads()).toEqual([]);
    const again = world.connect('watcher');
    again.subscribe('t', { qos: 0 });
    const b = world.connect('a', KEPT);
    b.publish('t', 'exactly', { qos: 2, messageId: 9, dup: true });
    world.commitAll();
    b.publish('t', 'exactly', { qos: 2, messageId: 9, dup: true });
    world.commitAll();
    expect(again.payloads()).toEqual(['exactly']);
    expect(b.brief()).toEqual(['pubrec 9', 'pubrec 9']);
  });
});

describe('QoS 0', () => {
  test('for who is away, whose socket is full, and who takes no large packet: dropped and counted', async () => {
    const world = await BrokerWorld.start({ limits: { outboxBytesMax: 1000 } });
    world.connect('away', FOREVER).subscribe('#');
    world.clients[0]!.drop();
    const slow = world.connect('slow');
    slow.subscribe('#');
    slow.clog();
    const small = world.connect('small', { properties: { maximumPacketSize: 40 } });
    small.subscribe('#');
    const a = world.connect('a');
    for (let i = 0; i < 30; i++) a.publish('t', 'x'.repeat(96));
    const { dropped } = world.broker.statistics;
    expect(dropped).toMatchObject({ offline: 30, packet_too_large: 30, outbox_full: 20 });
    slow.unclog();
    expect(slow.payloads()).toHaveLength(10);
    expect(small.isClosed).toBe(false);
  });

  test('waits for who is away where that is switched on', async () => {
    const world = await BrokerWorld.start({ limits: { queueQoS0: true } });
    world.connect('away', FOREVER).subscribe('t', { qos: 1 });
    world.clients[0]!.drop();
    const a = world.connect('a');
    a.publish('t', '0');
    a.publish('t', '1', { qos: 1 });
    expect(world.connect('away', KEPT).brief()).toEqual(['publish 0', 'publish 1 1']);
    expect(world.broker.statistics.dropped.offline).toBe(0);
  });
});
