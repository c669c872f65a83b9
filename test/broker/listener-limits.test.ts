import { expect, test } from 'vitest';
import { defaultLimits, listenerLimits } from '../../src/session/limits.js';
import { BrokerWorld } from './broker-world.js';
import type { Fields } from './packets.js';

const own = {
  packetBytesMax: 2048,
  receiveMaximum: 7,
  topicAliasMaximum: 3,
  qosMax: 1,
  retainAvailable: false,
  wildcardSubscriptionAvailable: false,
  keepAliveSecondsMax: 33,
  sessionExpirySecondsMax: 44,
  connectSecondsMax: 5,
} as const;

async function worldWith(policy: object = {}): Promise<BrokerWorld> {
  const limits = listenerLimits(defaultLimits, own);
  return BrokerWorld.start({ policy: { limits, ...policy } });
}

test('a client is told the limits of its listener', async () => {
  const world = await worldWith();
  const { connack } = world.connect('a', { properties: { sessionExpiryInterval: 99 } });
  expect(connack['properties']).toMatchObject({
    maximumPacketSize: 2048,
    receiveMaximum: 7,
    topicAliasMaximum: 3,
    maximumQoS: 1,
    retainAvailable: false,
    wildcardSubscriptionAvailable: false,
    serverKeepAlive: 33,
    sessionExpiryInterval: 44,
  });
});

test('and held to them', async () => {
  const world = await worldWith();
  const ends = (packet: Fields): readonly string[] => {
    const client = world.connect('a');
    client.send(packet);
    return client.brief();
  };
  const publish = { cmd: 'publish', topic: 't', payload: '', qos: 0, dup: false, retain: false };
  expect(ends({ ...publish, qos: 2, messageId: 1 })).toEqual(['disconnect 0x9b']);
  expect(ends({ ...publish, retain: true })).toEqual(['disconnect 0x9a']);
  expect(ends({ ...publish, payload: 'x'.repeat(2100) })).toEqual(['disconnect 0x95']);
  expect(ends({ ...publish, properties: { topicAlias: 4 } })).toEqual(['disconnect 0x94']);
  const client = world.connect('a');
  expect(client.subscribe('#')['granted']).toEqual([0xa2]);
  expect(client.subscribe('t', { qos: 2 })['granted']).toEqual([1]);
  world.open();
  world.advance(5000);
  expect(world.log.at(-1)!.sentence).toContain('no complete CONNECT within 5 s');
});

test('a listener that has its connections lets nobody more in', async () => {
  const world = await worldWith({ connectionsMax: 1 });
  const first = world.connect('a');
  expect(world.connecting('b').take('connack')['reasonCode']).toBe(0x97);
  expect(world.log.at(-1)!.sentence).toContain('mqtt://192.0.2.2:1883 has its 1 connections');
  first.disconnect();
  expect(world.connecting('b').take('connack')['reasonCode']).toBe(0);
});

test('changed limits hold for those who come later', async () => {
  const world = await BrokerWorld.start();
  const before = world.connect('before');
  world.broker.changeLimits({ ...defaultLimits, qosMax: 1, topicLevelsMax: 2 });
  const after = world.connect('after');
  expect(after.connack['properties']).toMatchObject({ maximumQoS: 1 });
  before.publish('a/b/c', '', { qos: 2 });
  expect(before.brief()).toEqual([expect.stringMatching(/^pubrec /)]);
  expect(after.subscribe('a/b/c', { qos: 2 })['granted']).toEqual([1]);
});
