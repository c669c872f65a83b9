import { describe, expect, test } from 'vitest';
import { BrokerWorld } from '../../broker/broker-world.js';
import type { Fields } from '../../broker/packets.js';
import { useRules } from './rule-lines.js';

const NOT_AUTHORIZED = 0x87;

function as(username: string, more: Fields = {}): Fields {
  return { username, password: Buffer.from('x'), ...more };
}

const stored = { clean: false, properties: { sessionExpiryInterval: 3600 } };

async function worldWith(lines: readonly string[], more = {}): Promise<BrokerWorld> {
  const world = await BrokerWorld.start();
  useRules(world, lines, more);
  return world;
}

describe('publishing', () => {
  test('a denied message reaches nobody; 5.0 is told with 0x87, once in the log with the rule', async () => {
    const world = await worldWith([
      'allow subscribe #',
      'deny publish secret/#',
      'allow publish #',
    ]);
    const listener = world.connect('listener');
    listener.subscribe('#', { qos: 2 });
    const device = world.connect('device', as('kitchen'));
    device.publish('secret/a', 'one', { qos: 1 });
    expect(device.take('puback')).toMatchObject({ reasonCode: NOT_AUTHORIZED });
    device.publish('secret/a', 'two', { qos: 2 });
    expect(device.take('pubrec')).toMatchObject({ reasonCode: NOT_AUTHORIZED });
    device.publish('secret/a', 'three');
    device.publish('open', 'four', { qos: 1 });
    expect(device.take('puback')['reasonCode']).toBe(0);
    expect(listener.payloads()).toEqual(['four']);
    expect(world.broker.statistics.accessDenied).toBe(3);
    const denials = world.log.filter(({ event }) => event === 'access_denied');
    expect(denials).toMatchObject([
      { level: 'warn', client: 'device', user: 'kitchen', topic: 'secret/a', rule: 'rules.yaml:2' },
    ]);
    expect(denials[0]!.sentence).toContain('deny publish secret/#');
  });

  test('the next line of a minute later tells how many there were', async () => {
    const world = await worldWith([]);
    const device = world.connect('device');
    for (let i = 0; i < 5; i++) device.publish('a', 'x');
    world.advance(61_000);
    device.publish('a', 'x');
    const denials = world.log.filter(({ event }) => event === 'access_denied');
    expect(denials.map(({ count, rule }) => [count, rule])).toEqual([
      [1, 'default'],
      [5, 'default'],
    ]);
  });

  test('3.1.1 has no answer: acknowledged and dropped, or disconnected by choice', async () => {
    const world = await worldWith(['allow publish ok']);
    const device = world.connect('device', {}, 4);
    device.publish('no', 'x', { qos: 1 });
    device.take('puback');
    expect(device.isClosed).toBe(false);
    useRules(world, ['allow publish ok'], { deniedPublish: 'disconnect' });
    device.publish('no', 'x', { qos: 1 });
    expect(device.isClosed).toBe(true);
    const modern = world.connect('modern');
    modern.publish('no', 'x', { qos: 1 });
    expect(modern.take('puback')['reasonCode']).toBe(NOT_AUTHORIZED);
    modern.publish('no', 'x');
    expect(modern.take('disconnect')['reasonCode']).toBe(NOT_AUTHORIZED);
  });

  test('RETAIN and QoS have limits of their own', async () => {
    const world = await worldWith(['deny retain live/#', 'allow publish live/# qos=1']);
    const device = world.connect('device');
    const codes = [{ qos: 1 }, { qos: 1, retain: true }, { qos: 2 }].map((fields) => {
      device.publish('live/a', 'x', fields);
      return device.packets()[0]?.['reasonCode'] ?? 0;
    });
    expect(codes).toEqual([0x10, NOT_AUTHORIZED, NOT_AUTHORIZED]);
    expect(world.broker.retained.count).toBe(0);
  });

  test('by Topic Alias is the same topic', async () => {
    const world = await worldWith(['allow publish ok']);
    const device = world.connect('device');
    device.publish('no', 'x', { qos: 1, properties: { topicAlias: 1 } });
    expect(device.take('puback')['reasonCode']).toBe(NOT_AUTHORIZED);
    device.publish('', 'x', { qos: 1, properties: { topicAlias: 1 } });
    expect(device.take('puback')['reasonCode']).toBe(NOT_AUTHORIZED);
  });
});

describe('a will', () => {
  const will = { topic: 'gone/device', payload: Buffer.from('gone'), qos: 0, retain: false };

  test('that may not be published keeps the client out', async () => {
    const world = await worldWith(['deny publish gone/#', 'allow all #']);
    const client = world.connecting('device', { will });
    expect(client.take('connack')['reasonCode']).toBe(NOT_AUTHORIZED);
    const old = world.connecting('old', { will }, 4);
    expect(old.take('connack')['returnCode']).toBe(5);
  });

  test('is judged again when it is published', async () => {
    const world = await worldWith(['allow all #']);
    const listener = world.connect('listener');
    listener.subscribe('gone/#');
    const device = world.connect('device', { will });
    useRules(world, ['deny publish gone/#', 'allow all #']);
    device.drop();
    expect(listener.payloads()).toEqual([]);
    expect(world.log.filter(({ event }) => event === 'access_denied')).toHaveLength(1);
  });
});

describe('subscribing', () => {
  test('is refused with 0x87, in 3.1.1 with 0x80', async () => {
    const world = await worldWith(['allow subscribe home/#']);
    expect(world.connect('a').subscribe('other/#')['granted']).toEqual([NOT_AUTHORIZED]);
    expect(world.connect('b', {}, 4).subscribe('other/#')['granted']).toEqual([0x80]);
    expect(world.connect('c').subscribe('home/#', { qos: 1 })['granted']).toEqual([1]);
  });

  test('above the QoS limit is granted lower', async () => {
    const world = await worldWith(['allow subscribe slow/# qos=0', 'allow subscribe # qos=1']);
    const client = world.connect('a');
    expect(client.subscribe('slow/#', { qos: 2 })['granted']).toEqual([0]);
    expect(client.subscribe('#', { qos: 2 })['granted']).toEqual([1]);
    useRules(world, ['allow all #']);
    const publisher = world.connect('p');
    useRules(world, ['allow publish #', 'allow subscribe slow/# qos=0', 'allow subscribe # qos=1']);
    client.unsubscribe('slow/#');
    publisher.publish('slow/x', 'slow', { qos: 1 });
    publisher.publish('fast/x', 'fast', { qos: 1 });
    expect(client.publishes().map(({ qos, payload }) => `${qos} ${payload}`)).toEqual([
      '0 slow',
      '1 fast',
    ]);
  });

  test('wider than allowed: filtered for each message, retained ones as well', async () => {
    const lines = ['allow publish #', 'deny subscribe home/secret/#', 'allow subscribe home/#'];
    const world = await worldWith(lines);
    const publisher = world.connect('p');
    publisher.publish('home/secret/a', 'kept secret', { retain: true });
    publisher.publish('home/a', 'kept', { retain: true });
    const client = world.connect('c');
    expect(client.subscribe('#', { qos: 1 })['granted']).toEqual([1]);
    expect(client.payloads()).toEqual(['kept']);
    publisher.publish('home/secret/b', 'secret');
    publisher.publish('home/b', 'open');
    publisher.publish('away', 'away');
    expect(client.payloads()).toEqual(['open']);
  });

  test('wider than allowed is refused by choice', async () => {
    const world = await worldWith(['allow subscribe home/#'], { wildcardSubscriptions: 'refuse' });
    const client = world.connect('c');
    expect(client.subscribe('#')['granted']).toEqual([NOT_AUTHORIZED]);
    expect(client.subscribe('home/+')['granted']).toEqual([0]);
    expect(world.log.at(-1)!.sentence).toContain('wildcard_subscriptions');
  });

  test('one filter of several that overlap lets a message through once', async () => {
    const world = await worldWith([
      'allow publish #',
      'deny subscribe a/no',
      'allow subscribe a/#',
    ]);
    const client = world.connect('c');
    client.subscribe('a/#', {}, { subscriptionIdentifier: 1 });
    client.subscribe('a/yes', {}, { subscriptionIdentifier: 2 });
    const publisher = world.connect('p');
    publisher.publish('a/yes', 'yes');
    publisher.publish('a/no', 'no');
    expect(client.payloads()).toEqual(['yes']);
  });

  test('a share skips the member that may not have the message', async () => {
    const world = await worldWith([
      'allow publish #',
      'deny subscribe jobs/secret user=guest',
      'allow subscribe jobs/#',
    ]);
    const guest = world.connect('guest', as('guest'));
    const worker = world.connect('worker', as('worker'));
    guest.subscribe('$share/g/jobs/#');
    worker.subscribe('$share/g/jobs/#');
    const publisher = world.connect('p');
    for (let i = 0; i < 4; i++) publisher.publish('jobs/secret', `secret ${i}`);
    for (let i = 0; i < 4; i++) publisher.publish('jobs/open', `open ${i}`);
    expect(worker.payloads().filter((text) => text.startsWith('secret'))).toHaveLength(4);
    expect(guest.payloads()).toHaveLength(2);
  });

  test('receive alone narrows what comes, not what may be asked for', async () => {
    const world = await worldWith(['allow publish #', 'deny receive a/no', 'allow subscribe a/#'], {
      wildcardSubscriptions: 'filter',
    });
    const client = world.connect('c');
    expect(client.subscribe('a/#')['granted']).toEqual([0]);
    expect(client.subscribe('a/no')['granted']).toEqual([NOT_AUTHORIZED]);
    world.connect('p').publish('a/no', 'x');
    expect(client.payloads()).toEqual([]);
  });
});

describe('rules that change', () => {
  test('take away subscriptions, filter others, and are told', async () => {
    const world = await worldWith(['allow all #']);
    const client = world.connect('c', as('alice', stored));
    client.subscribe('gone/#', { qos: 1 });
    client.subscribe('part/#', { qos: 1 });
    const publisher = world.connect('p');
    publisher.publish('part/no', 'before');
    useRules(world, ['allow publish #', 'deny subscribe part/no', 'allow subscribe part/#']);
    publisher.publish('gone/a', 'x');
    publisher.publish('part/no', 'x');
    publisher.publish('part/yes', 'yes');
    expect(client.payloads()).toEqual(['before', 'yes']);
    expect(world.log.filter(({ event }) => event === 'subscription_revoked')).toMatchObject([
      { client: 'c', user: 'alice', topic: 'gone/#' },
    ]);
    useRules(world, ['allow all #']);
    publisher.publish('part/no', 'again');
    expect(client.payloads()).toEqual(['again']);
    await world.crash();
    const back = world.connect('c', as('alice', stored));
    world.connect('p').publish('gone/a', 'x');
    expect(back.payloads()).toEqual([]);
  });

  test('disconnect who loses a subscription, by choice, and nobody else', async () => {
    const world = await worldWith(['allow all #']);
    const [loser, filtered, other] = ['loser', 'filtered', 'other'].map((name) =>
      world.connect(name, stored),
    );
    loser!.subscribe('gone/#', { qos: 1 });
    filtered!.subscribe('#', { qos: 1 });
    other!.subscribe('part/#', { qos: 1 });
    const rules = ['deny subscribe gone/#', 'allow all #'];
    useRules(world, rules, { revokedSubscriptions: 'disconnect' });
    expect(loser!.take('disconnect')).toMatchObject({ reasonCode: NOT_AUTHORIZED });
    expect([loser, filtered, other].map((client) => client!.isClosed)).toEqual([
      true,
      false,
      false,
    ]);
    const back = world.connect('loser', stored);
    expect(back.connack['sessionPresent']).toBe(true);
    world.connect('p').publish('gone/a', 'x');
    expect(back.payloads()).toEqual([]);
    useRules(world, rules, { revokedSubscriptions: 'disconnect' });
    expect(back.isClosed).toBe(false);
  });

  test('what waits for a client that is away is not delivered when it may not have it', async () => {
    const world = await worldWith(['allow all #']);
    world.connect('c', stored).subscribe('a/#', { qos: 1 });
    world.clients.at(-1)!.drop();
    const publisher = world.connect('p');
    publisher.publish('a/no', 'no', { qos: 1 });
    publisher.publish('a/yes', 'yes', { qos: 1 });
    useRules(world, ['allow publish #', 'deny subscribe a/no', 'allow subscribe a/#']);
    publisher.publish('a/no', 'no longer', { qos: 1 });
    const back = world.connect('c', stored);
    expect(back.payloads()).toEqual(['yes']);
    expect(world.broker.statistics.dropped.not_authorized).toBe(1);
  });

  test('of a client that is away only what is asked about is kept', async () => {
    const lines = ['allow publish #', 'deny subscribe a/no', 'allow subscribe #'];
    const world = await worldWith(lines);
    const whole = world.connect('whole', stored);
    whole.subscribe('b/#', { qos: 1 });
    const part = world.connect('part', stored);
    part.subscribe('a/#', { qos: 1 });
    whole.drop();
    part.drop();
    expect(world.broker.sessions.get('whole')!.access).toBeUndefined();
    expect(world.broker.sessions.get('part')!.access).toBeDefined();
    const publisher = world.connect('p');
    publisher.publish('a/no', 'no', { qos: 1 });
    publisher.publish('b/x', 'x', { qos: 1 });
    useRules(world, ['deny subscribe b/x', ...lines]);
    publisher.publish('b/x', 'y', { qos: 1 });
    publisher.publish('b/z', 'z', { qos: 1 });
    expect(world.connect('whole', stored).payloads()).toEqual(['z']);
    expect(world.connect('part', stored).payloads()).toEqual([]);
    expect(world.broker.statistics.dropped.not_authorized).toBe(1);
  });

  test('hold for who was just coming in, too', async () => {
    const world = await BrokerWorld.start({ holdsCommits: true });
    useRules(world, ['allow all #']);
    world.connect('c', stored).drop();
    world.commitAll();
    // It waits until the discarded session is gone from the disk as well.
    const late = world.connecting('c', { clean: true });
    useRules(world, ['allow publish yes']);
    world.commitAll();
    expect(late.brief()).toEqual(['connack']);
    late.publish('no', 'x', { qos: 1 });
    expect(late.brief()).toEqual([expect.stringMatching(/^puback \d+ 0x87$/)]);
  });

  test('leave a client that is away what its token allows', async () => {
    const world = await worldWith(['allow publish #']);
    const permissions = [{ effect: 'allow', action: 'subscribe', topicFilter: 'a/#' }] as const;
    const identity = { userName: 'u', groups: [], claims: {}, expiresAtMs: undefined, permissions };
    world.broker.hooks.authenticate.add((_, { userName }) =>
      userName === 'u' ? { reasonCode: 0, identity } : 0,
    );
    const stays = as('u', stored);
    const client = world.connect('c', stays);
    expect(client.subscribe('a/b', { qos: 1 })['granted']).toEqual([1]);
    client.drop();
    useRules(world, ['allow publish #', 'deny subscribe other']);
    world.connect('p').publish('a/b', 'x', { qos: 1 });
    expect(world.connect('c', stays).payloads()).toEqual(['x']);
    world.clients.at(-1)!.drop();
    await world.crash();
    useRules(world, ['allow publish #']);
    world.connect('p').publish('a/b', 'y', { qos: 1 });
    world.broker.hooks.authenticate.add((_, { userName }) =>
      userName === 'u' ? { reasonCode: 0, identity } : 0,
    );
    expect(world.connect('c', stays).payloads()).toEqual(['x', 'y']);
  });

  test('a session read from disk is filtered when its client is back', async () => {
    const lines = ['allow publish #', 'deny subscribe a/no', 'allow subscribe a/#'];
    const world = await worldWith(['allow all #']);
    world.connect('c', stored).subscribe('a/#', { qos: 1 });
    await world.crash();
    useRules(world, lines);
    const publisher = world.connect('p');
    publisher.publish('a/no', 'no', { qos: 1 });
    publisher.publish('a/yes', 'yes', { qos: 1 });
    const back = world.connect('c', stored);
    expect(back.payloads()).toEqual(['yes']);
    publisher.publish('a/no', 'no', { qos: 1 });
    expect(back.payloads()).toEqual([]);
  });

  test('somebody else in the same session has its own rights', async () => {
    const world = await worldWith(['allow publish #', 'allow subscribe # user=alice']);
    const alice = world.connect('c', as('alice', stored));
    alice.subscribe('a/#', { qos: 1 });
    alice.drop();
    const publisher = world.connect('p');
    publisher.publish('a/b', 'for alice', { qos: 1 });
    const bob = world.connect('c', as('bob', stored));
    publisher.publish('a/b', 'for alice', { qos: 1 });
    expect(bob.payloads()).toEqual([]);
  });
});

test('without rules no client has any', async () => {
  const world = await BrokerWorld.start();
  world.connect('c');
  expect(world.broker.sessions.get('c')!.access).toBeUndefined();
});

describe('a SUBSCRIBE with very many Topic Filters', () => {
  // Each of these has to be looked at for a filter that begins with a wildcard.
  const lines = Array.from({ length: 2000 }, (_, i) => `allow all +/d${i}/#`);

  test('costs no more than a second may, and lets nothing through that is not allowed', async () => {
    const world = await worldWith(lines);
    const device = world.connect('device');
    const filters = Array.from({ length: 1000 }, (_, i) => `+/d${i}/#`);
    const subscriptions = [...filters, '+/secret/#'].map((topic) => ({
      topic,
      qos: 1,
      nl: false,
      rap: false,
      rh: 0,
    }));
    device.send({ cmd: 'subscribe', messageId: 99, subscriptions });
    const granted = device.take('suback')['granted'] as number[];
    expect(granted.slice(0, 1000)).toEqual(Array(1000).fill(1));
    // Beyond the budget nobody looks whether all of it is denied: messages are judged one by one.
    expect(granted[1000]).toBe(1);
    const publisher = world.connect('publisher');
    for (const topic of ['x/d1/a', 'x/d999/a']) publisher.publish(topic, topic);
    useRules(world, ['allow publish #', 'deny subscribe +/secret/#', ...lines]);
    publisher.publish('x/secret/a', 'secret');
    expect(device.payloads()).toEqual(['x/d1/a', 'x/d999/a']);
    world.advance(1000);
    expect(device.subscribe('+/secret/+')['granted']).toEqual([NOT_AUTHORIZED]);
  });
});
