import { describe, expect, test } from 'vitest';
import { BrokerWorld } from './broker-world.js';

function expiring(sessionExpiryInterval: number, clean = true) {
  return { clean, properties: { sessionExpiryInterval } };
}

function texts(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `m${i}`);
}

describe('expiry', () => {
  test('ends a Session when its time has passed, and not before', async () => {
    const world = await BrokerWorld.start();
    const ended: string[] = [];
    world.broker.hooks.sessionEnded.add(({ clientIdentifier }) => ended.push(clientIdentifier));
    const a = world.connect('a', expiring(10));
    a.subscribe('t', { qos: 1 });
    a.drop();
    world.connect('b').publish('t', 'x', { qos: 1 });
    world.advance(9900);
    expect(ended).toEqual([]);
    world.advance(200);
    expect(ended).toEqual(['a']);
    expect(world.broker.statistics.dropped.session_ended).toBe(1);
    expect(world.connect('a', expiring(10, false)).connack['sessionPresent']).toBe(false);
  });

  test('counts from the last disconnection', async () => {
    const world = await BrokerWorld.start();
    for (let i = 0; i < 5; i++) {
      const a = world.connect('a', expiring(10, false));
      expect(a.connack['sessionPresent']).toBe(i > 0);
      world.advance(20_000);
      a.drop();
      world.advance(8000);
    }
  });

  test('passes while the process is down', async () => {
    const world = await BrokerWorld.start();
    world.connect('short', expiring(10)).drop();
    world.connect('long', expiring(100)).drop();
    world.connect('there', expiring(10));
    await world.crash();
    expect(world.broker.sessions.count).toBe(3);
    world.time.passWhileDown(30_000);
    await world.crash();
    world.advance(10);
    expect([...world.broker.sessions.all()].map((one) => one.clientIdentifier)).toEqual(['long']);
  });
});

describe('delayed wills', () => {
  const will = (willDelayInterval: number) => ({
    topic: 'w',
    payload: 'gone',
    qos: 1,
    properties: { willDelayInterval },
  });

  test('come after their delay, or with the end of the Session if that is sooner', async () => {
    const world = await BrokerWorld.start();
    const watcher = world.connect('watcher');
    watcher.subscribe('w');
    world.connect('a', { ...expiring(100), will: will(10) }).drop();
    world.advance(9900);
    expect(watcher.payloads()).toEqual([]);
    world.advance(200);
    expect(watcher.payloads()).toEqual(['gone']);
    world.advance(200_000);
    world.connect('b', { ...expiring(10), will: will(100) }).drop();
    world.advance(9900);
    expect(watcher.payloads()).toEqual([]);
    world.advance(200);
    expect(watcher.payloads()).toEqual(['gone']);
    world.connect('c', { will: will(100) }).drop();
    expect(watcher.payloads()).toEqual(['gone']);
  });

  test('a Clean Start ends the Session, and so the will comes', async () => {
    const world = await BrokerWorld.start();
    const watcher = world.connect('watcher');
    watcher.subscribe('w');
    world.connect('a', { ...expiring(100), will: will(50) }).drop();
    world.connect('a', expiring(100));
    expect(watcher.payloads()).toEqual(['gone']);
    world.advance(100_000);
    expect(watcher.payloads()).toEqual([]);
  });

  test('survive the process, with what is left of their delay, and come once', async () => {
    const world = await BrokerWorld.start();
    world.connect('watcher', expiring(1000)).subscribe('w', { qos: 1 });
    world.connect('delayed', { ...expiring(100), will: will(10) }).drop();
    world.connect('there', { will: will(0) });
    world.advance(6000);
    await world.crash();
    const watcher = world.connect('watcher', expiring(1000, false));
    expect(watcher.payloads()).toEqual(['gone']);
    world.advance(3900);
    expect(watcher.payloads()).toEqual([]);
    world.advance(200);
    expect(watcher.payloads()).toEqual(['gone']);
    await world.crash();
    world.advance(200_000);
    const later = world.connect('watcher', expiring(1000, false));
    expect(later.publishes().filter(({ dup }) => dup !== true)).toEqual([]);
  });
});

describe('recovery', () => {
  test('brings subscriptions, queues, exchanges and identifiers back', async () => {
    const world = await BrokerWorld.start();
    const a = world.connect('a', {
      properties: { sessionExpiryInterval: 1000, receiveMaximum: 2 },
    });
    a.subscribe('t', { qos: 2 }, { subscriptionIdentifier: 9 });
    const b = world.connect('b');
    for (const text of texts(4)) b.publish('t', text, { qos: 2 });
    a.send({ cmd: 'pubrec', messageId: 1 });
    expect(a.brief()).toEqual(['publish 1 m0', 'publish 2 m1', 'pubrel 1']);
    await world.crash();
    const again = world.connect('a', expiring(1000, false));
    expect(again.connack['sessionPresent']).toBe(true);
    const packets = again.packets();
    expect(packets.map(({ cmd, messageId, dup }) => [cmd, messageId, dup])).toEqual([
      ['pubrel', 1, false],
      ['publish', 2, true],
      ['publish', 3, false],
      ['publish', 4, false],
    ]);
    for (const { cmd, properties } of packets.slice(1)) {
      expect([cmd, properties]).toEqual(['publish', { subscriptionIdentifier: 9 }]);
    }
    world.connect('c').publish('t', 'new', { qos: 0 });
    expect(again.payloads()).toEqual(['new']);
  });

  test('forgets an elder Session that was being discarded when the process ended', async () => {
    const world = await BrokerWorld.start();
    const number = () => world.broker.sessions.get('a')!.number;
    const a = world.connect('a', expiring(1000));
    a.subscribe('elder', { qos: 1 });
    const elder = number();
    a.drop();
    world.connect('a', expiring(1000)).subscribe('younger', { qos: 1 });
    const younger = number();
    expect(younger).toBeGreaterThan(elder);
    const record = {
      clientIdentifier: 'a',
      userName: undefined,
      protocolVersion: 5,
      sessionExpiryIntervalSeconds: 1000,
      connected: false,
      disconnectedAtWallMs: world.time.wallMs(),
      will: undefined,
      willDueWallMs: 0,
    } as const;
    world.store.putSession({ ...record, sessionNumber: elder });
    const options = {
      qos: 1,
      noLocal: false,
      retainAsPublished: false,
      retainHandling: 0,
    } as const;
    const stored = { topicFilter: 'elder', options, subscriptionIdentifier: undefined };
    world.store.putSubscription(elder, stored);
    world.run();
    await world.crash();
    expect(world.broker.sessions.count).toBe(1);
    expect(number()).toBe(younger);
    expect([...world.broker.sessions.get('a')!.subscriptions.keys()]).toEqual(['younger']);
    const b = world.connect('b');
    b.publish('elder', '', { qos: 1 });
    b.publish('younger', '', { qos: 1 });
    expect(b.brief()).toEqual(['puback 256 0x10', 'puback 257']);
    await world.crash();
    expect(world.broker.sessions.byNumber(elder)).toBeUndefined();
  });
});

describe('shares of a Session that ends', () => {
  const share = '$share/s/t';

  test('hand what nobody has finished to another member, but no begun QoS 2', async () => {
    for (const isStored of [true, false]) {
      const world = await BrokerWorld.start();
      const properties = { receiveMaximum: 2, sessionExpiryInterval: isStored ? 10 : 0 };
      const a = world.connect('a', { properties });
      a.subscribe(share, { qos: 2 });
      const b = world.connect('b');
      b.publish('t', 'one', { qos: 1 });
      b.publish('t', 'two', { qos: 2 });
      b.publish('t', 'three', { qos: 2 });
      b.publish('t', 'four', { qos: 1 });
      expect(a.payloads()).toEqual(['one', 'two']);
      const c = world.connect('c');
      c.subscribe(share, { qos: 2 });
      a.drop();
      world.advance(11_000);
      expect(c.payloads()).toEqual(['one', 'three', 'four']);
      expect(world.broker.statistics.dropped.session_ended).toBe(1);
      expect(world.broker.sessions.count).toBe(2);
    }
  });

  test('leave out what has expired meanwhile', async () => {
    const world = await BrokerWorld.start();
    const a = world.connect('a', expiring(20));
    a.subscribe(share, { qos: 1 });
    a.drop();
    const b = world.connect('b');
    b.publish('t', 'short', { qos: 1, properties: { messageExpiryInterval: 10 } });
    b.publish('t', 'long', { qos: 1, properties: { messageExpiryInterval: 100 } });
    const c = world.connect('c', expiring(1000));
    c.subscribe(share, { qos: 1 });
    c.drop();
    world.advance(21_000);
    expect(world.connect('c', expiring(1000, false)).payloads()).toEqual(['long']);
  });

  test('hand nothing over twice, wherever the process ends', async () => {
    for (let commits = 0; ; commits++) {
      const world = await BrokerWorld.start({ holdsCommits: true });
      const a = world.connect('a', expiring(1000));
      a.send(a.subscribePacket(share, { qos: 2 }));
      world.commitAll();
      a.drop();
      const b = world.connect('b');
      for (const text of texts(600)) b.publish('t', text, { qos: 2 });
      world.commitAll();
      const c = world.connect('c', expiring(1000));
      c.send(c.subscribePacket(share, { qos: 2 }));
      world.commitAll();
      c.drop();
      world.commitAll();
      world.connecting('a', { clean: true });
      for (let i = 0; i < commits && world.engine.isWriting; i++) world.commit();
      const isDone = !world.engine.isWriting;
      await world.crash();
      world.commitAll();
      const { queue } = world.broker.sessions.get('c')!.outbound;
      const left = world.broker.sessions.get('a')?.outbound.queue.count ?? 0;
      expect(queue.count + left).toBe(600);
      if (isDone) {
        expect(queue.count).toBe(600);
        return;
      }
    }
  });
});
