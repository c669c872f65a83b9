import { describe, expect, test } from 'vitest';
import { type PubrelEnd, ResendLoops } from '../../../src/broker/devices/resend-loops.js';
import { Device } from '../../../src/session/device.js';
import { BrokerWorld } from '../broker-world.js';
import type { Fields } from '../packets.js';
import type { LogLine } from '../recording-logger.js';
import type { TestClient } from '../test-client.js';

function linesOf(world: BrokerWorld, event: string): LogLine[] {
  return world.log.filter((line) => line['event'] === event);
}

/** A client that has sent PUBREC, and went before it was sent PUBREL. */
async function withOpenExchanges(
  count = 1,
): Promise<{ world: BrokerWorld; publisher: TestClient; identifiers: number[] }> {
  const world = await BrokerWorld.start();
  const client = comeBack(world);
  client.subscribe('cmd', { qos: 2 });
  const publisher = world.connect('publisher');
  for (let i = 0; i < count; i++) publisher.publish('cmd', `open ${i}`, { qos: 2 });
  const identifiers = client.publishes().map(({ messageId }) => Number(messageId));
  expect(identifiers).toHaveLength(count);
  for (const messageId of identifiers) client.send({ cmd: 'pubrec', messageId });
  client.drop();
  return { world, publisher, identifiers };
}

function comeBack(world: BrokerWorld, fields: Fields = {}): TestClient {
  return world.connect('mcu', { clean: false, keepalive: 60, ...fields }, 4);
}

/** As MQTT-C does: PUBREL for what it does not know ends the connection. */
function leavesAtPubrel(world: BrokerWorld, everyMs: number): boolean {
  const client = comeBack(world);
  const hasPubrel = client.packets().some(({ cmd }) => cmd === 'pubrel');
  client.drop();
  world.advance(everyMs);
  return hasPubrel;
}

describe('a client that leaves whenever it is sent PUBREL for an exchange it has forgotten', () => {
  test.each([100, 1000, 60_000])('gets on, coming back every %d ms', async (everyMs) => {
    const { world, publisher, identifiers } = await withOpenExchanges(3);
    publisher.publish('cmd', 'behind', { qos: 1 });
    let circles = 0;
    while (leavesAtPubrel(world, everyMs)) expect(++circles).toBeLessThan(120);
    expect(circles).toBeGreaterThanOrEqual(5);
    const [line, ...others] = linesOf(world, 'resend_loop');
    expect(others).toEqual([]);
    expect(line).toMatchObject({ packet: 'PUBREL', identifier: identifiers[0], count: 3 });
    expect(line!.sentence).toContain('MQTT_CONNECT_CLEAN_SESSION');
    const client = comeBack(world);
    expect(client.publishes().map(({ payload }) => String(payload))).toEqual(['behind']);
    const { statistics, devices } = world.broker;
    expect(statistics).toMatchObject({ resendLoops: 1, deadLettered: 0 });
    const health = devices.health().find(({ clientIdentifier }) => clientIdentifier === 'mcu');
    expect(health).toMatchObject({ resendLoops: 1, deadLettered: 0, steppedDownTo: 0 });
    expect(health!.sentence).toContain('resent packet');
  });

  test('stays free of it after a crash', async () => {
    const { world } = await withOpenExchanges();
    while (leavesAtPubrel(world, 1000)) expect(world.broker.statistics.deadLettered).toBe(0);
    // What is counted is stored once a minute.
    world.advance(61_000);
    await world.crash();
    expect(comeBack(world).packets()).toEqual([]);
    const health = world.broker.devices.health();
    expect(health.find(({ clientIdentifier }) => clientIdentifier === 'mcu')!.resendLoops).toBe(1);
  });

  test('gets no other message with the same identifier: it may be taken for a copy', async () => {
    const { world, publisher, identifiers } = await withOpenExchanges(2);
    while (leavesAtPubrel(world, 1000));
    const client = comeBack(world);
    publisher.publish('cmd', 'next', { qos: 2 });
    const [next] = client.publishes();
    expect(identifiers).not.toContain(next!['messageId']);
    // Whoever knows of the exchange after all is answered.
    client.send({ cmd: 'pubrec', messageId: identifiers[0] });
    expect(client.brief()).toEqual([`pubrel ${identifiers[0]}`]);
  });

  test('is not blamed for messages behind the PUBREL, and not stepped down', async () => {
    const { world, publisher } = await withOpenExchanges();
    for (const payload of ['one', 'two', 'three']) publisher.publish('cmd', payload, { qos: 1 });
    while (leavesAtPubrel(world, 4000));
    expect(linesOf(world, 'quarantined')).toEqual([]);
    expect(linesOf(world, 'stepped_down')).toEqual([]);
    expect(comeBack(world).payloads()).toEqual(['one', 'two', 'three']);
  });
});

describe('an exchange goes on for a client that', () => {
  test.each<[string, (world: BrokerWorld, client: TestClient, publisher: TestClient) => void]>([
    [
      'stays for more than five seconds each time',
      (world, client) => {
        world.advance(6000);
        client.drop();
      },
    ],
    ['says goodbye each time', (_, client) => client.disconnect()],
    [
      'acknowledges anything else',
      (_, client, publisher) => {
        publisher.publish('cmd', 'more', { qos: 1 });
        for (const { messageId } of client.publishes()) client.puback(Number(messageId));
        client.drop();
      },
    ],
  ])('%s', async (_name, leave) => {
    const { world, publisher, identifiers } = await withOpenExchanges();
    for (let i = 0; i < 20; i++) {
      leave(world, comeBack(world), publisher);
      world.advance(1000);
    }
    const client = comeBack(world);
    expect(client.brief()).toContain(`pubrel ${identifiers[0]}`);
    expect(linesOf(world, 'resend_loop')).toEqual([]);
  });

  test('loses its link for a few minutes, again and again', () => {
    const loops = new ResendLoops();
    const device = new Device('d');
    for (let nowMs = 1000; nowMs < 240_000; nowMs += 1000) {
      const end = { sequence: 7, sentMs: nowMs - 500, isOrderly: nowMs % 3000 === 0 };
      expect(loops.left(device, end, nowMs)).toBe(0);
    }
  });

  test('has stayed at that PUBREL before: it works on the message, and its link is bad', () => {
    const loops = new ResendLoops();
    const device = new Device('d');
    const end = (sequence: number, sentMs: number): PubrelEnd => {
      return { sequence, sentMs, isOrderly: true };
    };
    expect(loops.left(device, end(7, 1000), 9000)).toBe(0);
    let nowMs = 10_000;
    for (; nowMs < 70_000; nowMs += 1000) {
      expect(loops.left(device, end(7, nowMs - 500), nowMs)).toBe(0);
    }
    // It does not stand for the next exchange, and not for ever.
    const circlesAt = (sequence: number, endMs: number): boolean => {
      for (; nowMs < endMs; nowMs += 1000) {
        if (loops.left(device, end(sequence, nowMs - 500), nowMs) > 0) return true;
      }
      return false;
    };
    expect(circlesAt(7, 200_000)).toBe(true);
    expect(circlesAt(8, nowMs + 12_000)).toBe(true);
  });
});

test.each(['publish', 'pubrel'] as const)(
  'a client that sends the same %s again on each connection is answered, counted, and told once',
  async (cmd) => {
    const world = await BrokerWorld.start();
    const watcher = world.connect('watcher');
    watcher.subscribe('up', { qos: 2 });
    const first = comeBack(world);
    const publish = first.publishPacket('up', 'm', { qos: 2 });
    const { messageId } = publish;
    first.send(publish);
    if (cmd === 'pubrel') first.send({ cmd: 'pubrel', messageId });
    first.drop();
    for (let i = 0; i < 12; i++) {
      const client = comeBack(world);
      client.send(cmd === 'publish' ? { ...publish, dup: true } : { cmd: 'pubrel', messageId });
      const answer = cmd === 'publish' ? 'pubrec' : 'pubcomp';
      expect(client.brief()).toEqual([`${answer} ${messageId}`]);
      expect(client.isClosed).toBe(false);
      client.drop();
      world.advance(1000);
    }
    expect(watcher.payloads()).toEqual(['m']);
    expect(world.broker.statistics).toMatchObject({ resentReceived: 12, resendLoops: 1 });
    const [line, ...others] = linesOf(world, 'resend_loop');
    expect(others).toEqual([]);
    const packet = cmd.toUpperCase();
    expect(line).toMatchObject({ client: 'mcu', packet, identifier: messageId, connections: 5 });
    // Nothing of its was ended: it may finish whenever it can.
    const client = comeBack(world);
    client.send({ cmd: 'pubrel', messageId });
    expect(client.brief()).toEqual([`pubcomp ${messageId}`]);
  },
);

test('one that sends another packet again each time, or none in between, is not told', () => {
  const loops = new ResendLoops();
  const device = new Device('d');
  for (let i = 0; i < 20; i++) {
    expect(loops.repeated(device, { type: 'PUBLISH', packetIdentifier: i })).toBe(0);
  }
  for (let i = 0; i < 20; i++) {
    const resent = i % 4 === 0 ? undefined : ({ type: 'PUBREL', packetIdentifier: 1 } as const);
    expect(loops.repeated(device, resent)).toBe(0);
  }
});
