import { describe, expect, test } from 'vitest';
import { BrokerWorld, type WorldOptions } from './broker-world.js';
import type { TestClient } from './test-client.js';

const FOREVER = { properties: { sessionExpiryInterval: 1000 } };

function names(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `r${String(i).padStart(4, '0')}`);
}

/** A broker with retained messages `t/r0000` …, each with its name as payload. */
async function withRetained(count: number, qos: 0 | 1 | 2, options: WorldOptions = {}) {
  const world = await BrokerWorld.start(options);
  const publisher = world.connect('publisher');
  for (const name of names(count)) publisher.publish(`t/${name}`, name, { qos, retain: true });
  for (const { messageId } of qos === 2 ? publisher.packets() : []) {
    publisher.send({ cmd: 'pubrel', messageId });
  }
  publisher.packets();
  return { world, publisher };
}

/** Acknowledges until nothing comes any more; the payloads. */
function drain(client: TestClient): string[] {
  const all: string[] = [];
  for (;;) {
    const publishes = client.publishes();
    if (publishes.length === 0) return all;
    all.push(...publishes.map(({ payload }) => String(payload)));
    for (const { messageId } of publishes)
      if (messageId !== undefined) client.puback(Number(messageId));
  }
}

describe('Retain Handling', () => {
  test('0 sends at each SUBSCRIBE, 1 at a new subscription, 2 never', async () => {
    const { world } = await withRetained(2, 1);
    const a = world.connect('a');
    const came = (rh: number): string[] => {
      a.subscribe('t/+', { qos: 0, rh });
      return a.payloads();
    };
    expect(came(2)).toEqual([]);
    expect(came(1)).toEqual([]);
    expect(came(0)).toEqual(names(2));
    expect(came(0)).toEqual(names(2));
    a.unsubscribe('t/+');
    expect(came(1)).toEqual(names(2));
    expect(came(1)).toEqual([]);
  });

  test('shared subscriptions get none', async () => {
    const { world } = await withRetained(2, 1);
    const a = world.connect('a');
    a.subscribe('$share/s/t/+', { qos: 1 });
    expect(a.payloads()).toEqual([]);
  });

  test('RETAIN is set, the QoS is the lower one, and the identifier is there', async () => {
    const { world } = await withRetained(1, 2);
    const a = world.connect('a');
    a.subscribe('t/+', { qos: 1, rap: false }, { subscriptionIdentifier: 77 });
    const properties = { subscriptionIdentifier: 77 };
    expect(a.publishes()).toMatchObject([{ retain: true, qos: 1, properties }]);
  });

  test('No Local leaves out what the client itself has retained', async () => {
    const { world, publisher } = await withRetained(1, 1);
    const other = world.connect('other');
    other.publish('t/other', 'other', { retain: true });
    publisher.subscribe('t/+', { nl: true });
    expect(publisher.payloads()).toEqual(['other']);
    publisher.subscribe('t/#');
    expect(publisher.payloads()).toHaveLength(2);
  });
});

test('SUBACK comes before the retained messages', async () => {
  const { world } = await withRetained(1, 0, { holdsCommits: true });
  world.commitAll();
  const a = world.connect('a', FOREVER);
  a.send(a.subscribePacket('t/+'));
  expect(a.brief()).toEqual([]);
  world.commitAll();
  expect(a.brief()).toEqual(['suback 256', 'publish r0000']);
});

describe('a flood', () => {
  test('of QoS 0 is pulled as the socket drains, and none is dropped', async () => {
    const limits = { outboxBytesMax: 2000 };
    const { world } = await withRetained(1000, 0, { limits });
    const a = world.connect('a');
    a.clog();
    a.subscribe('t/+');
    expect(a.payloads().length).toBeLessThan(300);
    const rest: string[] = [];
    a.unclog();
    rest.push(...a.payloads());
    expect(rest.at(-1)).toBe('r0999');
    expect(world.broker.statistics.dropped.outbox_full).toBe(0);
    expect(world.broker.sessions.get('a')!.awaitsRetained).toBe(false);
  });

  test('of QoS 1 is pulled as PUBACKs come, past a queue that would not hold it', async () => {
    const limits = { queuedMessagesMax: 5 };
    const { world } = await withRetained(300, 1, { limits });
    const a = world.connect('a', { properties: { receiveMaximum: 7 } });
    a.subscribe('t/+', { qos: 1 });
    expect(drain(a)).toEqual(names(300));
    expect(world.broker.statistics.dropped.queue_full).toBe(0);
  });

  test('ends when the client unsubscribes in the middle, also for its next connection', async () => {
    const { world } = await withRetained(50, 1);
    const a = world.connect('a', {
      properties: { receiveMaximum: 5, sessionExpiryInterval: 1000 },
    });
    a.subscribe('t/+', { qos: 1 });
    const first = a.publishes();
    expect(first).toHaveLength(5);
    a.unsubscribe('t/+');
    for (const { messageId } of first) a.puback(Number(messageId));
    expect(a.payloads()).toEqual([]);
    a.subscribe('t/+', { qos: 1, rh: 2 });
    expect(a.payloads()).toEqual([]);
    a.subscribe('t/+', { qos: 1 });
    expect(a.publishes()).toHaveLength(5);
    a.unsubscribe('t/+');
    a.drop();
    const again = world.connect('a', { clean: false, ...FOREVER });
    expect(again.payloads()).toHaveLength(5);
  });

  test('goes into the queue of a stored Session when its client goes, sent for the first time later', async () => {
    const { world } = await withRetained(20, 1);
    const a = world.connect('a', {
      properties: { receiveMaximum: 5, sessionExpiryInterval: 1000 },
    });
    a.subscribe('t/+', { qos: 1 });
    expect(a.payloads()).toEqual(names(5));
    const sentBefore = world.broker.statistics.publishSent;
    a.drop();
    expect(world.broker.statistics.publishSent).toBe(sentBefore);
    const again = world.connect('a', { clean: false, ...FOREVER });
    const publishes = again.publishes();
    expect(publishes.map(({ payload }) => String(payload))).toEqual(names(20));
    expect(publishes.filter(({ dup }) => dup === true)).toHaveLength(5);
    for (const { retain } of publishes) expect(retain).toBe(true);
  });

  test('of a Session that ends with its client is forgotten', async () => {
    const { world } = await withRetained(20, 1);
    const a = world.connect('a', { properties: { receiveMaximum: 5 } });
    a.subscribe('t/+', { qos: 1 });
    a.drop();
    const again = world.connect('a', { clean: false });
    expect(again.connack['sessionPresent']).toBe(false);
    expect(again.payloads()).toEqual([]);
  });

  test('what is too large for the client is dropped and counted, and the rest comes', async () => {
    const { world, publisher } = await withRetained(3, 0);
    publisher.publish('t/r0001', 'x'.repeat(100), { retain: true });
    const a = world.connect('a', { properties: { maximumPacketSize: 50 } });
    a.subscribe('t/+');
    expect(a.payloads()).toEqual(['r0000', 'r0002']);
    expect(world.broker.statistics.dropped.packet_too_large).toBe(1);
  });
});
