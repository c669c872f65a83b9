import { describe, expect, test } from 'vitest';
import { ReasonCode } from '../../src/wire/reason-code.js';
import { BrokerWorld } from './broker-world.js';

const FOREVER = { properties: { sessionExpiryInterval: 1000 } };

describe('refusals are one code for each filter, and the others are carried out', () => {
  test('limits of levels, length and QoS, and what is switched off', async () => {
    const limits = {
      topicLevelsMax: 3,
      topicBytesMax: 20,
      qosMax: 1,
      sharedSubscriptionAvailable: false,
    } as const;
    const world = await BrokerWorld.start({ limits });
    const a = world.connect('a');
    const topics = ['a/b/c/d', 'x'.repeat(21), '$share/s/t', 'one', 'two', 'one'];
    const subscriptions = topics.map((topic) => ({ topic, qos: 2 }));
    a.send({ cmd: 'subscribe', messageId: 1, subscriptions });
    const { TopicFilterInvalid, SharedSubscriptionsNotSupported } = ReasonCode;
    expect(a.take('suback')['granted']).toEqual([
      TopicFilterInvalid,
      TopicFilterInvalid,
      SharedSubscriptionsNotSupported,
      1,
      1,
      1,
    ]);
    expect([...world.broker.sessions.get('a')!.subscriptions.keys()]).toHaveLength(2);
  });

  test('the number of subscriptions, but one may always be replaced', async () => {
    const world = await BrokerWorld.start({ limits: { subscriptionsPerSessionMax: 2 } });
    const a = world.connect('a');
    const granted = (topic: string): unknown => a.subscribe(topic, { qos: 1 })['granted'];
    expect(['one', 'two', 'three', 'one'].map(granted)).toEqual([
      [1],
      [1],
      [ReasonCode.QuotaExceeded],
      [1],
    ]);
    a.unsubscribe('one');
    expect(granted('three')).toEqual([1]);
    expect(world.log.filter(({ event }) => event === 'subscription_refused')).toMatchObject([
      { client: 'a', code: ReasonCode.QuotaExceeded, count: 1 },
    ]);
  });

  test('the memory of subscriptions with wildcards, by their levels too', async () => {
    const limits = { subscriptionBytesPerSessionMax: 2000 };
    const world = await BrokerWorld.start({ limits });
    const a = world.connect('a');
    const granted = (topic: string): unknown => a.subscribe(topic, { qos: 1 })['granted'];
    const deep = '/+'.repeat(13);
    expect(granted(`a${deep}`)).toEqual([1]);
    expect(granted(`b${deep}`)).toEqual([ReasonCode.QuotaExceeded]);
    expect(granted('c/'.repeat(100))).toEqual([1]);
    a.unsubscribe(`a${deep}`);
    expect(granted(`b${deep}`)).toEqual([1]);
  });

  test('deep levels with wildcards of all sessions together', async () => {
    const world = await BrokerWorld.start({ limits: { deepWildcardLevelsMax: 10 } });
    const [a, b] = [world.connect('a'), world.connect('b')];
    const six = `x${'/+'.repeat(13)}`;
    expect(a.subscribe(six)['granted']).toEqual([0]);
    expect(b.subscribe(`b/${six}`)['granted']).toEqual([ReasonCode.QuotaExceeded]);
    expect(b.subscribe('without/'.repeat(30))['granted']).toEqual([0]);
    expect(b.subscribe('a/+/+/#')['granted']).toEqual([0]);
    // The same filter again takes the place of the first.
    expect(a.subscribe(six)['granted']).toEqual([0]);
    a.disconnect();
    expect(b.subscribe(`b/${six}`)['granted']).toEqual([0]);
  });

  test('wildcards and identifiers that are switched off', async () => {
    const limits = {
      wildcardSubscriptionAvailable: false,
      subscriptionIdentifiersAvailable: false,
    };
    const world = await BrokerWorld.start({ limits });
    const a = world.connect('a');
    expect(a.subscribe('a/+')['granted']).toEqual([ReasonCode.WildcardSubscriptionsNotSupported]);
    expect(a.subscribe('$share/s/#')['granted']).toEqual([
      ReasonCode.WildcardSubscriptionsNotSupported,
    ]);
    a.send(a.subscribePacket('a', {}, { subscriptionIdentifier: 1 }));
    expect(a.brief()).toEqual(['disconnect 0xa1']);
  });
});

test('the same filter again replaces options and identifier', async () => {
  const world = await BrokerWorld.start();
  const a = world.connect('a');
  const b = world.connect('b');
  a.subscribe('t', { qos: 2 }, { subscriptionIdentifier: 1 });
  a.subscribe('t', { qos: 1 });
  b.publish('t', 'x', { qos: 2 });
  const publishes = a.publishes();
  expect(publishes).toMatchObject([{ qos: 1 }]);
  expect(publishes[0]!['properties']).toBeUndefined();
  expect(world.broker.sessions.get('a')!.subscriptions.size).toBe(1);
});

test('UNSUBSCRIBE answers for each filter and takes effect at once', async () => {
  const world = await BrokerWorld.start();
  const a = world.connect('a', FOREVER);
  a.subscribe('one');
  a.subscribe('$share/s/two');
  const unsubscriptions = ['one', 'none', '$share/s/two', 'one'];
  a.send(
    { cmd: 'unsubscribe', messageId: 1, unsubscriptions },
    a.publishPacket('one', 'x'),
    a.publishPacket('two', 'x'),
  );
  const { Success, NoSubscriptionExisted } = ReasonCode;
  expect(a.take('unsuback')['granted']).toEqual([
    Success,
    NoSubscriptionExisted,
    Success,
    NoSubscriptionExisted,
  ]);
  expect(a.packets()).toEqual([]);
  await world.crash();
  expect(world.broker.sessions.get('a')!.subscriptions.size).toBe(0);
});

test('SUBACK and UNSUBACK of a stored Session wait for the disk, the subscription does not', async () => {
  const world = await BrokerWorld.start({ holdsCommits: true });
  const a = world.connect('a', FOREVER);
  a.send(a.subscribePacket('t'));
  world.connect('b').publish('t', 'early');
  world.commitAll();
  expect(a.brief()).toEqual(expect.arrayContaining(['suback 256', 'publish early']));
  a.send({ cmd: 'unsubscribe', messageId: 1, unsubscriptions: ['t'] });
  expect(a.brief()).toEqual([]);
  world.commitAll();
  expect(a.brief()).toEqual(['unsuback 1']);
});
