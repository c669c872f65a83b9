import { describe, expect, test } from 'vitest';
import { BrokerWorld } from '../broker-world.js';

test('a client without trouble has a score of 100, with its counts and times', async () => {
  const world = await BrokerWorld.start();
  world.advance(10);
  const client = world.connect('good', {}, 4);
  client.subscribe('t', { qos: 1 });
  world.connect('publisher').publish('t', 'hello', { qos: 1 });
  world.advance(250);
  client.puback(Number(client.take('publish')['messageId']));
  const [health] = world.broker.devices.health();
  expect(health).toMatchObject({
    clientIdentifier: 'good',
    isConnected: true,
    score: 100,
    sentence: 'nothing stands out',
    connections: 1,
    largestAcknowledgedBytes: 12,
    packetBytesMax: undefined,
  });
  expect(health!.acknowledgementMaxMs).toBe(250);
  expect(health!.acknowledgementMedianMs).toBeGreaterThanOrEqual(250 / 1.42);
  client.disconnect();
  expect(world.broker.devices.health().find((d) => d.clientIdentifier === 'good')).toMatchObject({
    isConnected: false,
    ends: { 'client-disconnect': 1 },
  });
});

test('those not seen for longest are forgotten beyond the limit', async () => {
  const world = await BrokerWorld.start({ devices: { devicesMax: 2 } });
  for (const name of ['a', 'b', 'a', 'c']) world.connect(name).disconnect();
  const names = world.broker.devices.health().map(({ clientIdentifier }) => clientIdentifier);
  expect(names).toEqual(['a', 'c']);
});

test('what troubles a client lowers its score and is said', async () => {
  const world = await BrokerWorld.start();
  for (let i = 0; i < 30; i++) world.connect('restless', {}, 4).drop();
  const [health] = world.broker.devices.health();
  expect(health!.score).toBeLessThan(100);
  expect(health!.sentence).toBe('it has connected 30 times within an hour');
});

test('the pace of PINGREQs is told by how uneven it is', async () => {
  const world = await BrokerWorld.start();
  const even = world.connect('even', {}, 4);
  const uneven = world.connect('uneven', {}, 4);
  for (let i = 0; i < 20; i++) {
    even.send({ cmd: 'pingreq' });
    if (i % 3 > 0) uneven.send({ cmd: 'pingreq' });
    world.advance(10_000);
  }
  const jitterOf = (name: string): number =>
    world.broker.devices.health().find((d) => d.clientIdentifier === name)!.pingJitterMs;
  expect(jitterOf('even')).toBe(0);
  expect(jitterOf('uneven')).toBeGreaterThan(2000);
});

test('connections of an hour fade with the next one', async () => {
  const world = await BrokerWorld.start();
  const perHour = (): number => world.broker.devices.health()[0]!.connectionsPerHour;
  for (let i = 0; i < 30; i++) world.connect('restless', {}, 4).drop();
  expect(perHour()).toBe(30);
  world.advance(90 * 60_000);
  expect(perHour()).toBe(15);
  world.advance(90 * 60_000);
  expect(perHour()).toBe(0);
});

describe('what is known of a device', () => {
  async function withRestless(): Promise<BrokerWorld> {
    const world = await BrokerWorld.start();
    world.advance(1000);
    for (let i = 0; i < 30; i++) world.connect('restless', {}, 4).drop();
    return world;
  }

  test('survives a crash, as it was a minute before at most', async () => {
    const world = await withRestless();
    world.advance(61_000);
    const [before] = world.broker.devices.health();
    await world.crash();
    expect(world.broker.devices.health()).toEqual([before]);
  });

  test('is written once a minute, not with each connection', async () => {
    const world = await withRestless();
    await world.crash();
    expect(world.broker.devices.health()).toEqual([]);
  });

  test('is written when the broker ends', async () => {
    const world = await withRestless();
    world.broker.devices.stop();
    world.run();
    await world.crash();
    expect(world.broker.devices.health()).toMatchObject([{ connections: 30 }]);
  });

  test('goes after a month without it', async () => {
    const world = await withRestless();
    world.advance(61_000);
    world.time.advance(31 * 86_400_000, () => {});
    await world.crash();
    expect(world.broker.devices.health()).toEqual([]);
    await world.crash();
    expect(world.broker.devices.health()).toEqual([]);
  });
});

describe('the topic of a client in trouble', () => {
  const TOPIC = '$SYS/broker/clients/restless/health';

  test('is retained, changes once a minute at most, and is not matched by #', async () => {
    const world = await BrokerWorld.start();
    const watcher = world.connect('watcher');
    watcher.subscribe('$SYS/#');
    const other = world.connect('other');
    other.subscribe('#');
    world.connect('calm').disconnect();
    for (let i = 0; i < 30; i++) world.connect('restless', {}, 4).drop();
    expect(watcher.publishes()).toEqual([]);
    world.advance(61_000);
    const [told, ...more] = watcher.publishes();
    expect(more).toEqual([]);
    expect(told).toMatchObject({ topic: TOPIC, retain: false });
    expect(JSON.parse(String(told!['payload']))).toMatchObject({
      clientIdentifier: 'restless',
      connections: 30,
      score: 85,
    });
    const late = world.connect('late');
    late.subscribe(TOPIC);
    expect(late.publishes()).toMatchObject([{ topic: TOPIC, retain: true }]);
    world.advance(120_000);
    expect(watcher.publishes()).toEqual([]);
    expect(other.publishes()).toEqual([]);
  });

  test('is there again after a restart, and not where it is switched off', async () => {
    const world = await BrokerWorld.start();
    for (let i = 0; i < 30; i++) world.connect('restless', {}, 4).drop();
    world.advance(61_000);
    await world.crash();
    const client = world.connect('late');
    client.subscribe(TOPIC);
    expect(client.publishes()).toMatchObject([{ topic: TOPIC, retain: true }]);
    const silent = await BrokerWorld.start({ devices: { healthTopics: 'off' } });
    for (let i = 0; i < 30; i++) silent.connect('restless', {}, 4).drop();
    silent.advance(61_000);
    expect(silent.broker.retained.count).toBe(0);
  });
});
