import { expect, test } from 'vitest';
import { RuleControl } from '../../src/extensions/access-control/access-control.js';
import { accessRules } from '../../src/extensions/access-control/access-rules.js';
import { optionsOf } from '../extensions/access-control/rule-lines.js';
import { BrokerWorld } from './broker-world.js';
import { recordingLogger } from './recording-logger.js';

const STORED = { clean: false, properties: { sessionExpiryInterval: 7200 } };

function sessionOf(world: BrokerWorld) {
  return world.broker.sessions.get('sleeper')!;
}

test('a session lets go of its empty queue when its client has left', async () => {
  const world = await BrokerWorld.start();
  const client = world.connect('sleeper', STORED);
  client.subscribe('t', { qos: 1 });
  const publisher = world.connect('publisher');
  publisher.publish('t', 'one', { qos: 1 });
  publisher.publish('t', 'two', { qos: 1 });
  world.run();
  for (const { messageId } of client.publishes()) client.puback(Number(messageId));
  world.run();
  const { outbound } = sessionOf(world);
  const { tailSequence } = outbound.queue;
  client.drop();
  world.run();
  expect(sessionOf(world).outbound).not.toBe(outbound);
  expect(sessionOf(world).outbound.queue.tailSequence).toBe(tailSequence);
  publisher.publish('t', 'three', { qos: 1 });
  await world.crash();
  expect(sessionOf(world).outbound.queue).toMatchObject({ count: 1, headSequence: tailSequence });
  const back = world.connecting('sleeper', STORED);
  expect(back.take('connack')['sessionPresent']).toBe(true);
  expect(back.payloads()).toEqual(['three']);
});

test('it rests on when the rules change', async () => {
  const world = await BrokerWorld.start();
  const { broker } = world;
  const change = (lines: readonly string[]): void =>
    broker.access.change(
      new RuleControl({
        rules: accessRules(optionsOf(lines)),
        log: recordingLogger(world.log),
        clock: world.time,
        statistics: broker.statistics,
      }),
    );
  change(['allow all #']);
  const client = world.connect('sleeper', STORED);
  client.subscribe('t/1', { qos: 1 });
  client.subscribe('secret', { qos: 1 });
  client.drop();
  world.run();
  expect(sessionOf(world).awake).toBeUndefined();
  change(['deny all secret', 'allow all #']);
  world.run();
  expect([...sessionOf(world).subscriptions.keys()]).toEqual(['t/1']);
  expect(sessionOf(world).awake).toBeUndefined();
});

test('it keeps the queue while anything of it is on its way to the disk', async () => {
  const world = await BrokerWorld.start({ holdsCommits: true });
  const client = world.connect('sleeper', STORED);
  client.send(client.subscribePacket('t', { qos: 1 }));
  world.commitAll();
  const { outbound } = sessionOf(world);
  client.drop();
  world.run();
  expect(sessionOf(world).outbound).toBe(outbound);
  const publisher = world.connecting('publisher', {});
  publisher.publish('t', 'm', { qos: 1 });
  world.commitAll();
  expect(sessionOf(world).outbound).toBe(outbound);
  expect(outbound.queue.count).toBe(1);
  const back = world.connecting('sleeper', STORED);
  world.commitAll();
  back.take('connack');
  expect(back.payloads()).toEqual(['m']);
});

test('it keeps the queue while an exchange is open', async () => {
  const world = await BrokerWorld.start();
  const client = world.connect('sleeper', STORED);
  client.subscribe('t', { qos: 2 });
  world.connect('publisher').publish('t', 'm', { qos: 2 });
  world.run();
  const { outbound } = sessionOf(world);
  client.drop();
  world.run();
  expect(sessionOf(world).outbound).toBe(outbound);
  const back = world.connecting('sleeper', STORED);
  back.take('connack');
  expect(back.brief()).toEqual(['publish 1 dup m']);
});

test('a client that is back before the commit finds the queue it left', async () => {
  const world = await BrokerWorld.start({ holdsCommits: true });
  world.connect('sleeper', STORED).drop();
  world.run();
  const { outbound } = sessionOf(world);
  world.connecting('sleeper', STORED);
  world.commitAll();
  expect(sessionOf(world).outbound).toBe(outbound);
});

test.each([60, 7200, 30 * 86_400])('a session of %i s ends in time', async (seconds) => {
  const world = await BrokerWorld.start();
  const fields = { clean: false, properties: { sessionExpiryInterval: seconds } };
  world.connect('sleeper', fields).drop();
  world.advance(seconds * 1000 - 1000);
  expect(world.broker.sessions.count).toBe(1);
  world.advance(2000);
  expect(world.broker.sessions.count).toBe(0);
});

test('a will of long ago does not keep a session from ending in time', async () => {
  const world = await BrokerWorld.start();
  const will = { topic: 'will', payload: 'gone', qos: 1, properties: { willDelayInterval: 60 } };
  const watcher = world.connect('watcher');
  watcher.subscribe('will', { qos: 1 });
  world.connect('sleeper', { ...STORED, will }).drop();
  world.advance(61_000);
  expect(watcher.payloads()).toEqual(['gone']);
  world.advance(7_100_000);
  expect(world.broker.sessions.get('sleeper')).toBeDefined();
  world.advance(60_000);
  expect(world.broker.sessions.get('sleeper')).toBeUndefined();
});

test('sessions that come back again and again end in time as well', async () => {
  const world = await BrokerWorld.start();
  for (let i = 0; i < 5; i++) {
    world.connect('sleeper', STORED).drop();
    world.advance(3_600_000);
  }
  expect(world.broker.sessions.count).toBe(1);
  world.advance(3_601_000);
  expect(world.broker.sessions.count).toBe(0);
});
