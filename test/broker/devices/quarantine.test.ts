import { describe, expect, test } from 'vitest';
import type { DeviceRule } from '../../../src/broker/devices/device-options.js';
import { BrokerWorld } from '../broker-world.js';
import type { LogLine } from '../recording-logger.js';
import type { TestClient } from '../test-client.js';
import { SmallDevice } from './small-device.js';

const BIG = 'x'.repeat(300);
const SMALL = ['one', 'two', 'three', 'four', 'five'];

/** A publisher, and a stored session of `mcu` that is subscribed to `cmd/#` at QoS 1 and away. */
async function withAbsentDevice(
  rules: readonly DeviceRule[] = [],
): Promise<{ world: BrokerWorld; publisher: TestClient }> {
  const world = await BrokerWorld.start({ devices: { patienceSeconds: 120, rules } });
  const device = world.connect('mcu', { clean: false, keepalive: 15 }, 4);
  device.subscribe('cmd/#', { qos: 1 });
  device.drop();
  return { world, publisher: world.connect('publisher') };
}

function linesOf(world: BrokerWorld, event: string): LogLine[] {
  return world.log.filter((line) => line['event'] === event);
}

function publishAll(publisher: TestClient, payloads: readonly string[], topic = 'cmd/a'): void {
  for (const payload of payloads) publisher.publish(topic, payload, { qos: 1 });
}

describe('a device that drops oversize messages without a word', () => {
  test.each([15, 1000])('gets what is behind them, pinging each %d s', async (pingSeconds) => {
    const { world, publisher } = await withAbsentDevice();
    publishAll(publisher, [...Array.from({ length: 25 }, () => BIG), ...SMALL]);
    const device = new SmallDevice(world, 'mcu', { bufferBytes: 256, closes: false, pingSeconds });
    device.connect();
    device.live(60_000);
    expect(device.payloads).toEqual(SMALL);
    expect(device.connections).toBe(1);
    expect(world.broker.statistics.deadLettered).toBe(0);
    expect(linesOf(world, 'passed_over')).toHaveLength(1);
    device.live(75_000);
    const [line, ...others] = linesOf(world, 'quarantined');
    expect(others).toEqual([]);
    expect(line!.sentence).toContain(
      'mcu never acknowledges packets over 256 bytes: its receive buffer is probably 256 bytes. 25 messages were moved to $dead-letter/mcu/cmd/a',
    );
    expect(linesOf(world, 'message_dropped')).toEqual([]);
    expect(world.broker.statistics.deadLettered).toBe(25);
  });

  test.each([1500, 8000])('and connects again after %d ms, finds it on its way', async (ms) => {
    const { world, publisher } = await withAbsentDevice();
    publishAll(publisher, [...Array.from({ length: 25 }, () => BIG), ...SMALL]);
    const device = new SmallDevice(world, 'mcu', { bufferBytes: 256, closes: false });
    device.connect();
    while (device.payloads.length < SMALL.length) {
      device.live(ms);
      if (device.payloads.length === SMALL.length) break;
      expect(device.connections).toBeLessThan(6);
      device.client.drop();
      device.connect();
    }
    expect(device.connections).toBe(2);
    expect(world.broker.statistics.deadLettered).toBe(0);
    device.live(130_000);
    expect(linesOf(world, 'quarantined')).toHaveLength(1);
    expect(world.broker.statistics.deadLettered).toBe(25);
  });

  test('has them as dead letters with the reason, and larger ones go there at once', async () => {
    const { world, publisher } = await withAbsentDevice();
    const watcher = world.connect('watcher');
    watcher.subscribe('$dead-letter/#', { qos: 1 });
    publishAll(publisher, [BIG, BIG, BIG, ...SMALL]);
    const device = new SmallDevice(world, 'mcu', { bufferBytes: 256, closes: false });
    device.connect();
    device.live(130_000);
    const [letter] = watcher.publishes();
    expect(letter).toMatchObject({ topic: '$dead-letter/mcu/cmd/a', qos: 1 });
    expect(String(letter!['payload'])).toBe(BIG);
    const { userProperties } = letter!['properties'] as { userProperties: Record<string, string> };
    expect(userProperties).toMatchObject({ client: 'mcu', topic: 'cmd/a' });
    expect(userProperties['reason']).toContain('over 256 bytes');
    publishAll(publisher, [BIG, 'six']);
    publisher.publish('cmd/qos0', BIG);
    device.live(1000);
    expect(device.payloads).toEqual([...SMALL, 'six']);
    expect(watcher.payloads()).toEqual([BIG]);
    expect(world.broker.statistics.dropped.packet_too_large).toBe(1);
  });

  test('one or two may be long jobs: they are taken out, but nothing is learned from them', async () => {
    const { world, publisher } = await withAbsentDevice();
    const watcher = world.connect('watcher');
    watcher.subscribe('$dead-letter/#', { qos: 1 });
    publishAll(publisher, [BIG, BIG, ...SMALL]);
    const device = new SmallDevice(world, 'mcu', { bufferBytes: 256, closes: false });
    device.connect();
    device.live(115_000);
    expect(watcher.payloads()).toEqual([]);
    device.live(15_000);
    expect(watcher.payloads()).toEqual([BIG, BIG]);
    publishAll(publisher, [BIG]);
    device.live(1000);
    expect(watcher.payloads()).toEqual([]);
    expect(world.broker.devices.registry.get('mcu')!.packetBytesMax).toBe(Number.POSITIVE_INFINITY);
  });

  test('has as long as a rule gives it', async () => {
    const rules = [{ match: { client: 'mcu*' }, patienceSeconds: 600 }];
    const { world, publisher } = await withAbsentDevice(rules);
    publishAll(publisher, [BIG, BIG, BIG, ...SMALL]);
    const device = new SmallDevice(world, 'mcu', { bufferBytes: 256, closes: false });
    device.connect();
    device.live(590_000);
    expect(device.payloads).toEqual(SMALL);
    expect(world.broker.statistics.deadLettered).toBe(0);
    device.live(20_000);
    expect(world.broker.statistics.deadLettered).toBe(3);
  });

  test('is not taken for one that is only slow', async () => {
    const { world, publisher } = await withAbsentDevice();
    publishAll(
      publisher,
      Array.from({ length: 60 }, (_, i) => `m${i}`),
    );
    const slow = world.connect('mcu', { clean: false, keepalive: 60 }, 4);
    const got: number[] = [];
    for (let minute = 0; minute < 30; minute++) {
      got.push(...slow.publishes().map(({ messageId }) => Number(messageId)));
      world.advance(30_000);
      slow.send({ cmd: 'pingreq' });
      world.advance(30_000);
      slow.send({ cmd: 'pingreq' });
      const id = got.shift();
      if (id !== undefined) slow.puback(id);
    }
    expect(world.broker.statistics.deadLettered).toBe(0);
    expect(linesOf(world, 'quarantined')).toEqual([]);
  });
});

describe('a device that closes the connection at an oversize message', () => {
  test('lives after five reconnects at most', async () => {
    const { world, publisher } = await withAbsentDevice();
    publishAll(publisher, [BIG, ...SMALL]);
    const device = new SmallDevice(world, 'mcu', { bufferBytes: 256, closes: true });
    device.connect();
    device.live(60_000);
    expect(device.payloads).toEqual(SMALL);
    expect(device.connections - 1).toBeLessThanOrEqual(5);
    expect(linesOf(world, 'quarantined')).toHaveLength(1);
    expect(world.broker.statistics.deadLettered).toBe(1);
  });

  test('learns the limit from what it did take, so that the next one costs nothing', async () => {
    const { world, publisher } = await withAbsentDevice();
    publishAll(publisher, ['hello', BIG]);
    const device = new SmallDevice(world, 'mcu', { bufferBytes: 256, closes: true });
    device.connect();
    device.live(30_000);
    const { drops } = device;
    expect(linesOf(world, 'quarantined')[0]!.sentence).toContain('probably 256 bytes');
    publishAll(publisher, [BIG, BIG, ...SMALL]);
    device.live(5000);
    expect(device.drops).toBe(drops);
    expect(device.payloads).toEqual(['hello', ...SMALL]);
    expect(world.broker.statistics.deadLettered).toBe(3);
  });

  test('with another CONNECT is sent them again: its firmware may be new', async () => {
    const { world, publisher } = await withAbsentDevice();
    publishAll(publisher, ['hello', BIG]);
    const device = new SmallDevice(world, 'mcu', { bufferBytes: 256, closes: true });
    device.connect();
    device.live(30_000);
    device.client.drop();
    const updated = world.connect('mcu', { clean: false, keepalive: 30 }, 4);
    publishAll(publisher, [BIG]);
    expect(updated.payloads()).toEqual([BIG]);
    expect(linesOf(world, 'packet_limit_forgotten')).toHaveLength(1);
  });
});

test('a message that is taken out stays out after a crash', async () => {
  const { world, publisher } = await withAbsentDevice();
  publishAll(publisher, [BIG, ...SMALL]);
  const device = new SmallDevice(world, 'mcu', { bufferBytes: 256, closes: true });
  device.connect();
  device.live(30_000);
  await world.crash();
  const again = world.connect('mcu', { clean: false, keepalive: 15 }, 4);
  expect(again.publishes()).toEqual([]);
  const watcher = world.connect('watcher');
  watcher.subscribe('$dead-letter/#');
  expect(watcher.payloads()).toEqual([BIG]);
});

test('what was learned holds after a crash: nothing large is tried again', async () => {
  const { world, publisher } = await withAbsentDevice();
  publishAll(publisher, ['hello', BIG]);
  const device = new SmallDevice(world, 'mcu', { bufferBytes: 256, closes: true });
  device.connect();
  device.live(30_000);
  expect(world.broker.devices.registry.get('mcu')!.packetBytesMax).toBeLessThan(320);
  await world.crash();
  publishAll(world.connect('publisher'), [BIG, 'six']);
  device.connect();
  const { drops } = device;
  device.live(10_000);
  expect(device.drops).toBe(drops);
  expect(device.payloads).toEqual(['hello', 'six']);
});

describe('an exchange whose PUBREL is never answered', () => {
  async function withUnanswered(): Promise<{ world: BrokerWorld; client: TestClient }> {
    const world = await BrokerWorld.start({ devices: { patienceSeconds: 120 } });
    world.connect('mcu', { clean: false }, 4).disconnect();
    const client = world.connect('mcu', { clean: false, keepalive: 0 }, 4);
    client.subscribe('t', { qos: 2 });
    const publisher = world.connect('publisher');
    publisher.publish('t', 'm', { qos: 2 });
    const { messageId } = client.take('publish');
    client.send({ cmd: 'pubrec', messageId });
    client.take('pubrel');
    return { world, client };
  }

  function pingFor(world: BrokerWorld, client: TestClient, seconds: number): void {
    for (let i = 0; i < seconds; i += 5) {
      world.advance(5000);
      client.send({ cmd: 'pingreq' });
    }
    client.packets();
  }

  test('is told after a minute, and ended when a slow client would have answered', async () => {
    const { world, client } = await withUnanswered();
    pingFor(world, client, 70);
    expect(linesOf(world, 'pubrel_unanswered')).toHaveLength(1);
    const { outbound } = world.broker.sessions.get('mcu')!;
    expect(outbound.inFlight).toBe(1);
    pingFor(world, client, 60);
    expect(outbound.inFlight).toBe(0);
    expect(linesOf(world, 'pubrel_unanswered')).toHaveLength(1);
    client.drop();
    expect(world.connect('mcu', { clean: false }, 4).packets()).toEqual([]);
  });

  test('holds up nobody behind it where the window is one', async () => {
    const { world, client } = await withUnanswered();
    const { outbound } = world.broker.sessions.get('mcu')!;
    outbound.setWindow(1);
    for (const payload of ['one', 'two', 'three']) {
      world.connect(`publisher ${payload}`).publish('t', payload, { qos: 1 });
    }
    expect(client.payloads()).toEqual([]);
    const got: string[] = [];
    for (let i = 0; i < 16; i++) {
      world.advance(5000);
      client.send({ cmd: 'pingreq' });
      for (const { payload, messageId } of client.publishes()) {
        got.push(String(payload));
        client.puback(Number(messageId));
      }
    }
    for (const { payload } of client.publishes()) got.push(String(payload));
    expect(got).toEqual(['one', 'two', 'three']);
  });
});

describe('a device that is here for a moment only', () => {
  test.each([
    [5, []],
    // A visit a minute.
    [8, [{ match: {}, patienceSeconds: 420 }]],
  ])('is sent what it never takes on %d connections, and not for ever', async (most, rules) => {
    const { world, publisher } = await withAbsentDevice(rules);
    publishAll(publisher, [BIG, BIG, BIG, ...SMALL]);
    let resent = 0;
    let visits = 0;
    for (; visits < 12; visits++) {
      const client = world.connect('mcu', { clean: false, keepalive: 15 }, 4);
      const publishes = client.publishes();
      if (publishes.length === 0) break;
      for (const { payload, messageId } of publishes) {
        if (String(payload) === BIG) resent++;
        else client.puback(Number(messageId));
      }
      if (visits > 0) publishAll(publisher, [`visit ${visits}`]);
      for (const { messageId } of client.publishes()) client.puback(Number(messageId));
      world.advance(2000);
      client.disconnect();
      world.advance(60_000);
    }
    expect(visits).toBe(most);
    expect(resent).toBe(3 * most);
    expect(world.broker.statistics.deadLettered).toBe(3);
    expect(linesOf(world, 'quarantined')).toHaveLength(1);
  });
});

test('a message that is acknowledged after all proves that nothing was known', async () => {
  const { world, publisher } = await withAbsentDevice();
  publishAll(publisher, [BIG, BIG, BIG, ...SMALL]);
  const client = world.connect('mcu', { clean: false, keepalive: 0 }, 4);
  const publishes = client.publishes();
  for (const { payload, messageId } of publishes) {
    if (String(payload) !== BIG) client.puback(Number(messageId));
  }
  world.advance(130_000);
  const device = world.broker.devices.registry.get('mcu')!;
  expect(world.broker.statistics.deadLettered).toBe(3);
  expect(device.packetBytesMax).toBeLessThan(Number.POSITIVE_INFINITY);
  // None of the next messages has the identifier of one that may still be acknowledged.
  publishAll(publisher, ['next']);
  const [next] = client.publishes();
  client.puback(Number(publishes[0]!['messageId']));
  expect(world.broker.sessions.get('mcu')!.outbound.inFlight).toBe(1);
  expect(publishes.map(({ messageId }) => messageId)).not.toContain(next!['messageId']);
  expect(device.packetBytesMax).toBe(Number.POSITIVE_INFINITY);
  expect(linesOf(world, 'packet_limit_forgotten')).toHaveLength(1);
  client.puback(Number(next!['messageId']));
  // It has twice as long from now on, and its size tells nothing any more.
  publishAll(publisher, [BIG, BIG, BIG, 'more']);
  for (const { payload, messageId } of client.publishes()) {
    if (String(payload) !== BIG) client.puback(Number(messageId));
  }
  world.advance(200_000);
  expect(world.broker.statistics.deadLettered).toBe(3);
  world.advance(80_000);
  expect(world.broker.statistics.deadLettered).toBe(6);
  expect(device.packetBytesMax).toBe(Number.POSITIVE_INFINITY);
});
