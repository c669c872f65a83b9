import { expect, test } from 'vitest';
import type { AuthenticationMethod } from '../../src/broker/authentication.js';
import type { ClientView, Identity } from '../../src/broker/hooks.js';
import { ReasonCode } from '../../src/wire/reason-code.js';
import { BrokerWorld } from './broker-world.js';

function identity(more: Partial<Identity> = {}): Identity {
  return {
    userName: 'kitchen',
    groups: ['home'],
    claims: {},
    expiresAtMs: undefined,
    permissions: undefined,
    ...more,
  };
}

function accepting(more: Partial<Identity>) {
  return { reasonCode: ReasonCode.Success, identity: identity(more) } as const;
}

test('the last acceptance counts, later hooks may still refuse, and all see who it is', async () => {
  const world = await BrokerWorld.start();
  const { hooks } = world.broker;
  const seen: ClientView[] = [];
  hooks.authenticate.add(async () => accepting({ userName: 'first' }));
  hooks.authenticate.add(() => accepting({ userName: 'cellar', method: 'certificate' }));
  hooks.authenticate.add(async ({ clientIdentifier }) =>
    clientIdentifier === 'bad' ? ReasonCode.Banned : ReasonCode.Success,
  );
  hooks.authorizePublish.add((client) => {
    seen.push(client);
    return ReasonCode.Success;
  });
  const bad = world.connecting('bad', { username: 'claimed' });
  const good = world.connecting('good', {
    username: 'claimed',
    will: { topic: 'w', payload: Buffer.from('x'), qos: 0, retain: false },
  });
  await world.settle();
  expect(bad.brief()).toEqual(['connack 0x8a']);
  expect(good.brief()).toEqual(['connack']);
  expect(seen).toMatchObject([{ userName: 'cellar', identity: { groups: ['home'] } }]);
  expect(world.log.filter(({ event }) => event === 'connected')).toMatchObject([
    { client: 'good', user: 'cellar', method: 'certificate' },
  ]);
  expect(world.broker.sessions.get('good')?.userName).toBe('cellar');
});

test('a client that a hook lets in without an identity keeps the name it gave', async () => {
  const world = await BrokerWorld.start();
  world.broker.hooks.authenticate.add(() => ReasonCode.Success);
  world.connect('a', { username: 'claimed' });
  expect(world.log).toMatchObject([{ user: 'claimed', method: undefined }]);
});

test('the connection ends when its identity expires, told a minute before', async () => {
  const world = await BrokerWorld.start();
  const told: number[] = [];
  const { hooks } = world.broker;
  hooks.expiring.add(({ expiresAtMs }) => told.push(expiresAtMs));
  const expiresAtMs = world.time.wallMs() + 3 * 3_600_000;
  hooks.authenticate.add(() => accepting({ expiresAtMs }));
  const a = world.connect('a');
  world.advance(3 * 3_600_000 - 61_000);
  expect(told).toEqual([]);
  world.advance(2000);
  expect(told).toEqual([expiresAtMs]);
  expect(world.log.filter(({ event }) => event === 'identity_expires')).toMatchObject([
    { client: 'a', user: 'kitchen' },
  ]);
  expect(a.isClosed).toBe(false);
  world.advance(60_000);
  expect(a.brief()).toEqual(['disconnect 0xa0']);
  expect(a.isClosed).toBe(true);
});

test('a connection that ends before leaves no timer', async () => {
  const world = await BrokerWorld.start();
  // What is kept of devices has a timer for all of them.
  world.connect('before').disconnect();
  const armed = world.time.armed;
  const expiresAtMs = world.time.wallMs() + 5000;
  world.broker.hooks.authenticate.add(() => accepting({ expiresAtMs }));
  const a = world.connect('a');
  expect(world.time.armed).toBe(armed + 1);
  a.disconnect();
  expect(world.time.armed).toBe(armed);
});

/** Its Authentication Data is the number of seconds that the identity is good for. */
function ticket(world: BrokerWorld, userName: () => string): AuthenticationMethod {
  return {
    name: 'TICKET',
    begin: (_client, { peer, policy }) => ({
      step: (data) => ({
        kind: 'success',
        data: undefined,
        userName: undefined,
        identity: identity({
          userName: userName(),
          claims: { host: peer.host, versions: policy.protocolVersions.length },
          expiresAtMs: world.time.wallMs() + 1000 * Number(Buffer.from(data!).toString()),
        }),
      }),
    }),
  };
}

function authFields(seconds: number) {
  return { authenticationMethod: 'TICKET', authenticationData: Buffer.from(String(seconds)) };
}

test('re-authentication renews the identity in place, and may not change the user', async () => {
  const world = await BrokerWorld.start();
  let user = 'kitchen';
  world.broker.addAuthenticationMethod(ticket(world, () => user));
  const views: ClientView[] = [];
  world.broker.hooks.authorizePublish.add((client) => {
    views.push(client);
    return ReasonCode.Success;
  });
  const a = world.connect('a', { properties: authFields(300) });
  world.advance(290_000);
  a.send({ cmd: 'auth', reasonCode: 0x19, properties: authFields(300) });
  expect(a.brief()).toEqual(['auth']);
  world.advance(290_000);
  expect(a.isClosed).toBe(false);
  a.publish('t', 'x');
  expect(views).toMatchObject([
    { userName: 'kitchen', identity: { claims: { host: '192.0.2.1', versions: 3 } } },
  ]);
  user = 'cellar';
  a.send({ cmd: 'auth', reasonCode: 0x19, properties: authFields(300) });
  expect(a.brief()).toEqual(['disconnect 0x87']);
});

test('an acceptance that has expired already does not stay', async () => {
  const world = await BrokerWorld.start();
  const expiresAtMs = world.time.wallMs() - 1;
  world.broker.hooks.authenticate.add(() => accepting({ expiresAtMs }));
  const a = world.connecting('a');
  world.advance(10);
  expect(a.brief()).toEqual(['connack', 'disconnect 0xa0']);
});

test('clients can be chosen by who they are, and are told why they must go', async () => {
  const world = await BrokerWorld.start();
  world.broker.hooks.authenticate.add(({ clientIdentifier }) =>
    accepting({ userName: clientIdentifier }),
  );
  const a = world.connect('a');
  const b = world.connect('b');
  const cause = { reasonCode: ReasonCode.NotAuthorized, sentence: 'the user a was removed' };
  const isA = ({ identity: who }: ClientView): boolean => who?.userName === 'a';
  expect(world.broker.disconnectClients(isA, cause)).toBe(1);
  expect(world.broker.disconnectClients(isA, cause)).toBe(0);
  expect([a.isClosed, b.isClosed]).toEqual([true, false]);
  expect(a.brief()).toEqual(['disconnect 0x87']);
});

test('a repeated refusal is logged for debug alone', async () => {
  const world = await BrokerWorld.start();
  world.broker.hooks.authenticate.add(({ clientIdentifier }) => ({
    reasonCode: ReasonCode.BadUserNameOrPassword,
    isRepeated: clientIdentifier === 'again',
  }));
  world.connecting('once');
  world.connecting('again');
  // The recorded log has everything but `debug`.
  expect(world.log).toMatchObject([{ level: 'warn', event: 'refused', client: 'once' }]);
  expect(world.broker.statistics.connectionsRefused).toBe(2);
});

test('a session is not handed to another user, also not by an anonymous client', async () => {
  const world = await BrokerWorld.start();
  let user: string | undefined = 'kitchen';
  world.broker.hooks.authenticate.add(() => accepting({ userName: user }));
  const lasting = { clean: false, properties: { sessionExpiryInterval: 3600 } };
  const publisher = world.connect('publisher');
  for (const [id, name] of [
    ['a', 'kitchen'],
    ['b', 'cellar'],
    ['c', undefined],
  ] as const) {
    user = 'kitchen';
    const owner = world.connect(id, lasting);
    owner.subscribe('t', { qos: 1 });
    owner.drop();
    publisher.publish('t', 'private', { qos: 1 });
    publisher.take('puback');
    user = name;
    const client = world.connecting(id, lasting);
    const isOwner = name === 'kitchen';
    expect(client.take('connack')['sessionPresent']).toBe(isOwner);
    expect(client.payloads()).toEqual(isOwner ? ['private'] : []);
    client.drop();
  }
  expect(world.log.filter(({ event }) => event === 'session_of_another_user')).toMatchObject([
    { client: 'b', user: 'cellar', owner: 'kitchen' },
    { client: 'c', user: undefined, owner: 'kitchen' },
  ]);
});

test('nor to another user that a hook lets in by its name; a name that nobody asks for is none', async () => {
  const world = await BrokerWorld.start();
  const lasting = { clean: false, properties: { sessionExpiryInterval: 3600 } };
  const present = (username: string) => {
    const client = world.connect('a', { ...lasting, username });
    client.drop();
    return client.connack['sessionPresent'];
  };
  expect([present('kitchen'), present('cellar')]).toEqual([false, true]);
  world.broker.hooks.authenticate.add(() => ReasonCode.Success);
  expect([present('cellar'), present('kitchen'), present('kitchen')]).toEqual([true, false, true]);
});

test('a user who is removed does not come in by a connection that is being let in', async () => {
  const world = await BrokerWorld.start({ holdsCommits: true });
  world.broker.hooks.authenticate.add(() => accepting({}));
  const stored = { clean: false, properties: { sessionExpiryInterval: 3600 } };
  world.connect('a', stored).drop();
  world.commitAll();
  // It waits until the discarded session is gone from the disk as well.
  const late = world.connecting('a', { clean: true });
  const cause = { reasonCode: ReasonCode.NotAuthorized, sentence: 'its user was removed' };
  expect(world.broker.disconnectClients(({ userName }) => userName === 'kitchen', cause)).toBe(1);
  world.commitAll();
  expect(late.isClosed).toBe(true);
  expect(late.brief()).toEqual([]);
});
