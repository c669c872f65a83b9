import { generate, type Packet } from 'mqtt-packet';
import { describe, expect, test } from 'vitest';
import { MountPoint } from '../../src/session/mount-point.js';
import { BrokerWorld } from './broker-world.js';
import type { TestClient } from './test-client.js';

const STAYS = { clean: false, properties: { sessionExpiryInterval: 1000 } };
const mountPoint = new MountPoint('site1/');

/** A client of the house, and one that sees the whole tree. */
async function both(version: 3 | 4 | 5 = 5): Promise<{
  readonly world: BrokerWorld;
  readonly inside: TestClient;
  readonly outside: TestClient;
}> {
  const world = await BrokerWorld.start();
  const outside = world.connect('outside', {}, version);
  world.policy = { mountPoint };
  const inside = world.connect('inside', {}, version);
  return { world, inside, outside };
}

function names(client: TestClient): unknown[] {
  return client.publishes().map(({ topic }) => topic);
}

describe.each([4, 5] as const)('protocol level %i', (version) => {
  test.each([0, 1, 2] as const)('names are full behind the wire, QoS %i', async (qos) => {
    const { inside, outside } = await both(version);
    inside.subscribe('a/+', { qos });
    outside.subscribe('#', { qos });
    inside.publish('a/b', 'from inside', { qos });
    expect(names(outside)).toEqual(['site1/a/b']);
    expect(names(inside)).toEqual(['a/b']);
    outside.publish('site1/a/c', 'from outside', { qos });
    outside.publish('a/c', 'elsewhere', { qos });
    expect(names(inside)).toEqual(['a/c']);
  });

  test('a large payload keeps its bytes under both names', async () => {
    const { inside, outside } = await both(version);
    outside.subscribe('site1/#');
    inside.subscribe('#');
    const payload = 'x'.repeat(5000);
    inside.publish('a', payload);
    expect(outside.payloads()).toEqual([payload]);
    expect(inside.payloads()).toEqual([payload]);
  });
});

test('retained messages and unsubscribing', async () => {
  const { inside, outside } = await both();
  inside.publish('state', 'on', { retain: true, qos: 1 });
  outside.subscribe('site1/state');
  inside.packets();
  inside.subscribe('#');
  expect([names(outside), names(inside)]).toEqual([['site1/state'], ['state']]);
  expect(inside.unsubscribe('#')['granted']).toEqual([0]);
  expect(inside.unsubscribe('#')['granted']).toEqual([0x11]);
  outside.publish('site1/state', 'off');
  expect(names(inside)).toEqual([]);
});

test('a share is one of its branch', async () => {
  const { inside, outside } = await both();
  inside.subscribe('$share/group/a/#');
  outside.publish('site1/a/b', '1');
  outside.publish('a/b', '2');
  expect(inside.payloads()).toEqual(['1']);
  inside.send(inside.subscribePacket('$share/group/'));
  expect(inside.brief()).toEqual(['disconnect 0x8f']);
});

test('aliases in both directions', async () => {
  const { world, outside } = await both();
  const inside = world.connect('aliased', { properties: { topicAliasMaximum: 5 } });
  inside.subscribe('long/topic');
  outside.subscribe('site1/#');
  inside.publish('long/topic', '1', { properties: { topicAlias: 1 } });
  inside.publish('', '2', { properties: { topicAlias: 1 } });
  expect(names(outside)).toEqual(['site1/long/topic', 'site1/long/topic']);
  expect(inside.publishes().map(({ topic, payload }) => [topic, String(payload)])).toEqual([
    ['long/topic', '1'],
    ['', '2'],
  ]);
});

test('wills', async () => {
  const { world, outside } = await both();
  outside.subscribe('#');
  const will = { topic: 'gone', payload: 'x', qos: 0, retain: false };
  world.connect('mortal', { will }).drop();
  expect(names(outside)).toEqual(['site1/gone']);
});

test('what waited in a session comes with the names of the branch, also after a restart', async () => {
  const { world } = await both();
  const session = world.connect('sleeper', STAYS);
  session.subscribe('a', { qos: 1 });
  session.drop();
  world.policy = {};
  world.connect('backend').publish('site1/a', 'waited', { qos: 1 });
  await world.crash();
  world.policy = { mountPoint };
  expect(names(world.connect('sleeper', STAYS))).toEqual(['a']);
});

test('no name leads out of the branch', async () => {
  const { inside, outside } = await both();
  outside.subscribe('#');
  outside.subscribe('$SYS/#');
  for (const topic of ['../b', '/b', '$SYS/b']) inside.publish(topic, 'x');
  expect(names(outside)).toEqual(['site1/../b', 'site1//b', 'site1/$SYS/b']);
});

test('a will without a Topic Name is none here either', async () => {
  const { world } = await both();
  const will = { topic: 'x', payload: Buffer.from('p'), qos: 0, retain: false };
  const client = world.open();
  // The library writes no such packet: the Will Topic is taken out of one that it writes.
  const fields = { protocolId: 'MQTT', protocolVersion: 5, clean: true, clientId: 'c' };
  const bytes = generate({ ...fields, cmd: 'connect', keepalive: 0, will } as unknown as Packet);
  const at = bytes.indexOf(Buffer.from('\0\x01x\0\x01p'));
  const empty = Buffer.concat([bytes.subarray(0, at), Buffer.from('\0\0\0\x01p')]);
  empty[1]!--;
  client.sendBytes(empty);
  expect(client.brief()).toEqual(['connack 0x90']);
});
