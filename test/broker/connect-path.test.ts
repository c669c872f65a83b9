import { describe, expect, test } from 'vitest';
import { ReasonCode } from '../../src/wire/reason-code.js';
import { bytes } from '../wire/bytes.js';
import { BrokerWorld } from './broker-world.js';

const FOREVER = { properties: { sessionExpiryInterval: 1000 } };
const KEPT = { clean: false, ...FOREVER };

describe('take-over', () => {
  test('the elder is told, its will is published, and then CONNACK leaves', async () => {
    const world = await BrokerWorld.start();
    const watcher = world.connect('watcher');
    watcher.subscribe('wills');
    const will = { topic: 'wills', payload: 'gone', qos: 0 };
    const elder = world.connect('a', { ...KEPT, will });
    const order: string[] = [];
    world.broker.hooks.published.add(() => order.push('published'));
    world.broker.hooks.disconnected.add(({ cause }) => order.push(cause.kind));
    world.broker.hooks.connected.add(() => order.push('connected'));
    const younger = world.connect('a', KEPT);
    expect(younger.connack['sessionPresent']).toBe(true);
    expect(elder.brief()).toEqual(['disconnect 0x8e']);
    expect(elder.closed).toEqual(['after-flush']);
    expect(watcher.payloads()).toEqual(['gone']);
    expect(order).toEqual(['taken-over', 'connected']);
    expect(world.broker.statistics.takeOvers).toBe(1);
    // The end of the elder's network comes later and changes nothing.
    elder.events.networkClosed('late');
    expect(world.broker.sessions.get('a')!.connection).toBeDefined();
    younger.subscribe('wills');
    expect(watcher.payloads()).toEqual([]);
  });

  test('a delayed will is not published when its client is back in time', async () => {
    const world = await BrokerWorld.start();
    const watcher = world.connect('watcher');
    watcher.subscribe('wills');
    const properties = { willDelayInterval: 5 };
    const will = { topic: 'wills', payload: 'gone', qos: 0, properties };
    world.connect('a', { ...KEPT, will });
    world.connect('a', KEPT);
    world.advance(10_000);
    expect(watcher.payloads()).toEqual([]);
  });

  test('and of two with the same identifier the younger stays', async () => {
    const world = await BrokerWorld.start();
    const elder = world.connect('a', {}, 4);
    const younger = world.connect('a', {}, 4);
    expect(elder.isClosed).toBe(true);
    expect(younger.isClosed).toBe(false);
    expect(world.broker.connections).toBe(1);
  });
});

describe('Clean Start', () => {
  test('waits until the discarded Session cannot come back', async () => {
    const world = await BrokerWorld.start({ holdsCommits: true });
    const a = world.connect('a', FOREVER);
    a.send(a.subscribePacket('t', { qos: 1 }));
    world.commitAll();
    a.drop();
    world.commitAll();
    const again = world.connecting('a', { clean: true });
    again.send({ cmd: 'pingreq' });
    expect(again.brief()).toEqual([]);
    expect(again.isPaused).toBe(true);
    world.commit();
    expect(again.take('connack')).toMatchObject({ sessionPresent: false });
    expect(again.brief()).toEqual(['pingresp']);
    world.commitAll();
    expect(again.isPaused).toBe(false);
    await world.crash();
    const later = world.connect('a', { clean: false });
    expect(later.connack['sessionPresent']).toBe(false);
  });

  test('of a client that gives up waiting begins nothing', async () => {
    const world = await BrokerWorld.start({ holdsCommits: true });
    world.connect('a', FOREVER).drop();
    world.commitAll();
    const again = world.connecting('a', { clean: true });
    again.drop();
    world.commitAll();
    expect(world.broker.sessions.get('a')).toBeUndefined();
    expect(world.broker.connections).toBe(0);
  });

  test('of two that wait for it the younger gets the Session, and waits too', async () => {
    const world = await BrokerWorld.start({ holdsCommits: true });
    world.connect('a', FOREVER).drop();
    world.commitAll();
    const elder = world.connecting('a', { clean: true });
    const younger = world.connecting('a', { clean: true });
    expect(elder.isClosed).toBe(true);
    expect(younger.brief()).toEqual([]);
    world.commitAll();
    expect(elder.brief()).toEqual([]);
    expect(younger.brief()).toEqual(['connack']);
    expect(younger.isClosed).toBe(false);
    expect(world.broker.connections).toBe(1);
  });

  test('of a Session in memory waits for nothing', async () => {
    const world = await BrokerWorld.start({ holdsCommits: true });
    world.connect('a');
    const again = world.connecting('a', { clean: true });
    expect(again.brief()).toEqual(['connack']);
  });
});

describe('refusals', () => {
  const codeOf = async (limits: object, connects: (world: BrokerWorld) => unknown) => {
    const world = await BrokerWorld.start({ limits });
    return connects(world);
  };

  test('connectionsMax, connectionsPerAddressMax and sessionsMax', async () => {
    for (const [limits, hosts] of [
      [{ connectionsMax: 2 }, ['192.0.2.1', '192.0.2.2', '192.0.2.3']],
      [{ connectionsPerAddressMax: 2 }, ['192.0.2.1', '192.0.2.1', '192.0.2.1']],
      [{ sessionsMax: 2 }, ['192.0.2.1', '192.0.2.2', '192.0.2.3']],
    ] as const) {
      await codeOf(limits, (world) => {
        const clients = hosts.map((host, i) => {
          const client = world.open(5, host);
          client.send({ cmd: 'connect', clientId: `c${i}`, protocolVersion: 5, clean: true });
          return client;
        });
        const codes = clients.map((client) => client.take('connack')['reasonCode']);
        expect(codes).toEqual([0, 0, ReasonCode.QuotaExceeded]);
        expect(clients[2]!.isClosed).toBe(true);
        clients[2]!.drop();
        // One goes: there is room again; a known Session may always come back.
        clients[1]!.disconnect();
        const next = world.open(5, hosts[1]);
        next.send({ cmd: 'connect', clientId: 'next', protocolVersion: 5, clean: true });
        expect(next.take('connack')['reasonCode']).toBe(0);
      });
    }
  });

  test('a Session that exists may be taken over although there may be no more', async () => {
    const world = await BrokerWorld.start({ limits: { sessionsMax: 1 } });
    world.connect('a', FOREVER);
    world.connect('a', KEPT);
    const other = world.connecting('b');
    expect(other.take('connack')['reasonCode']).toBe(ReasonCode.QuotaExceeded);
  });

  test('no more Sessions of one user, or of one address where there are no names', async () => {
    const world = await BrokerWorld.start({ limits: { sessionsPerUserMax: 2 } });
    const code = (clientId: string, fields = {}): unknown =>
      world.connecting(clientId, fields).take('connack')['reasonCode'];
    const kept = { ...KEPT, username: 'kitchen' };
    expect([code('a', kept), code('b', kept)]).toEqual([0, 0]);
    expect(code('c', kept)).toBe(ReasonCode.QuotaExceeded);
    // Own Sessions, others' and those without a name are another matter.
    expect([code('a', kept), code('d', { username: 'cellar' }), code('e')]).toEqual([0, 0, 0]);
    expect([code('f'), code('g')]).toEqual([0, ReasonCode.QuotaExceeded]);
    expect(world.log.filter(({ event }) => event === 'refused')).toMatchObject([
      { client: 'c', user: 'kitchen', sentence: expect.stringContaining('kitchen has its 2') },
      { client: 'g' },
    ]);
    // One ends, also that of a client which is away; and a restart forgets no user.
    world.connect('b', { username: 'kitchen' }).disconnect();
    expect(code('c', kept)).toBe(0);
    await world.crash();
    expect(code('h', kept)).toBe(ReasonCode.QuotaExceeded);
    expect([code('a', kept), code('i', { username: 'cellar' })]).toEqual([0, 0]);
  });

  test('a protocol version that the listener does not take', async () => {
    const world = await BrokerWorld.start({ policy: { protocolVersions: [5] } });
    expect(world.connecting('a', {}, 4).take('connack')['returnCode']).toBe(1);
    expect(world.connecting('a', {}, 5).take('connack')['reasonCode']).toBe(0);
  });

  test('a will that the hooks, the limits or the specification do not allow', async () => {
    const world = await BrokerWorld.start({ limits: { qosMax: 1, retainAvailable: false } });
    world.broker.hooks.authorizePublish.add((_, { topicName }) =>
      topicName === 'secret' ? ReasonCode.NotAuthorized : ReasonCode.Success,
    );
    const code = (will: object): unknown =>
      world.connecting('a', { will: { payload: '', qos: 0, ...will } }).take('connack')[
        'reasonCode'
      ];
    expect(code({ topic: 'a/#' })).toBe(ReasonCode.TopicNameInvalid);
    expect(code({ topic: 'a', qos: 2 })).toBe(ReasonCode.QoSNotSupported);
    expect(code({ topic: 'a', retain: true })).toBe(ReasonCode.RetainNotSupported);
    expect(code({ topic: 'secret' })).toBe(ReasonCode.NotAuthorized);
    expect(code({ topic: 'a' })).toBe(0);
    expect(world.broker.statistics.connectionsRefused).toBe(4);
  });
});

describe('identifiers', () => {
  test('an empty one is replaced and told in 5.0, each by another', async () => {
    const world = await BrokerWorld.start();
    const assigned = [1, 2].map(() => {
      const { properties } = world.connect('').connack as { properties: Record<string, unknown> };
      return String(properties['assignedClientIdentifier']);
    });
    expect(new Set(assigned).size).toBe(2);
    for (const identifier of assigned) {
      expect(identifier).toMatch(/^dunlin-[0-9a-z]{20}$/);
      expect(world.broker.sessions.get(identifier)).toBeDefined();
    }
  });

  test('an empty one is an error where it may not be', async () => {
    const world = await BrokerWorld.start();
    const four = world.open(4);
    four.sendBytes(bytes("10 0c 00 04 'MQTT' 04 00 00 00 00 00"));
    expect(four.take('connack')['returnCode']).toBe(2);
    expect(world.connecting('', {}, 4).take('connack')['returnCode']).toBe(0);
    const five = world.open(5);
    five.sendBytes(bytes("10 0d 00 04 'MQTT' 05 00 00 00 00 00 00"));
    expect(five.take('connack')['reasonCode']).toBe(0);
  });

  test('one that is asked for, and how they begin', async () => {
    const codes = async (limits: object, ...identifiers: string[]) => {
      const world = await BrokerWorld.start({ limits });
      return identifiers.map((id) => world.connecting(id).take('connack')['reasonCode']);
    };
    const { ClientIdentifierNotValid } = ReasonCode;
    expect(await codes({ clientIdentifierRequired: true }, 'a', '')).toEqual([
      0,
      ClientIdentifierNotValid,
    ]);
    const prefixes = { clientIdentifierPrefixes: ['house-', 'shed-'] };
    expect(await codes(prefixes, 'house-1', 'shed-', 'house', 'xhouse-1', '')).toEqual([
      0,
      0,
      ClientIdentifierNotValid,
      ClientIdentifierNotValid,
      ClientIdentifierNotValid,
    ]);
    expect(await codes({ ...prefixes, assignedClientIdentifierPrefix: 'house-' }, '')).toEqual([0]);
    const world = await BrokerWorld.start({ limits: { assignedClientIdentifierPrefix: 'guest/' } });
    expect(JSON.stringify(world.connect('').connack)).toContain('"guest/');
  });

  test('a very long one with everything that quotes it does not bring the broker down', async () => {
    const world = await BrokerWorld.start();
    const properties = { requestResponseInformation: true };
    const a = world.connect('x'.repeat(65_530), { properties });
    expect(a.connack['properties']).not.toHaveProperty('responseInformation');
    const authenticationMethod = 'x'.repeat(65_530);
    const b = world.connecting('b', { properties: { authenticationMethod } });
    const refused = { cmd: 'connack', reasonCode: ReasonCode.BadAuthenticationMethod };
    expect(b.packets()).toMatchObject([refused]);
  });
});
