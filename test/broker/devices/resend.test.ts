import { describe, expect, test } from 'vitest';
import { BrokerWorld } from '../broker-world.js';
import type { Fields } from '../packets.js';
import type { TestClient } from '../test-client.js';

interface Subscriber {
  readonly world: BrokerWorld;
  readonly publisher: TestClient;
  readonly client: TestClient;
  readonly subscribe: Fields;
}

/** A client that sends its first SUBSCRIBE so long behind CONNACK, and has its SUBACK. */
async function withSubscriber(
  roundTripMs: number,
  qos: 0 | 1 | 2 = 0,
  version: 4 | 5 = 4,
): Promise<Subscriber> {
  const world = await BrokerWorld.start();
  const publisher = world.connect('publisher');
  publisher.publish('t/a', 'kept', { qos: 1, retain: true });
  const client = world.connect('esp', {}, version);
  if (roundTripMs > 0) world.advance(roundTripMs);
  const subscribe = client.subscribePacket('t/#', { qos });
  client.send(subscribe);
  const [suback, publish] = client.packets();
  expect([suback!['cmd'], String(publish!['payload'])]).toEqual(['suback', 'kept']);
  return { world, publisher, client, subscribe };
}

function kept({ client }: Subscriber): number {
  const packets = client.packets();
  expect(packets[0]).toMatchObject({ cmd: 'suback' });
  return packets.filter(({ payload }) => String(payload) === 'kept').length;
}

describe('SUBSCRIBE sent again before its SUBACK can be there replays nothing', () => {
  test.each([4, 5] as const)('each second, with messages behind it (%d)', async (version) => {
    const { world, client, subscribe } = await withSubscriber(0, 1, version);
    for (let i = 0; i < 3; i++) {
      world.advance(1000);
      client.send(subscribe);
      expect(client.brief()).toEqual([`suback ${subscribe['messageId']}`]);
    }
    expect(world.broker.statistics.resentReceived).toBe(3);
    client.puback(1);
    client.send(client.subscribePacket('t/#', { qos: 1 }));
    expect(client.payloads()).toEqual(['kept']);
    world.advance(20_000);
    client.puback(2);
    client.send(subscribe);
    expect(client.payloads()).toEqual(['kept']);
  });

  test.each([
    ['each second over a round trip of 2.5 s', 2500, [1000, 1000]],
    ['after ten seconds over one of 12 s', 12_000, [10_000]],
    ['over one of a second that takes twice as long', 1000, [1000, 900]],
    ['at once, over one of a tenth of a second', 100, [1, 50, 100]],
  ])('%s', async (_name, roundTripMs, gapsMs) => {
    const subscriber = await withSubscriber(roundTripMs);
    for (const gapMs of gapsMs) {
      subscriber.world.advance(gapMs);
      subscriber.client.send(subscriber.subscribe);
      expect(kept(subscriber)).toBe(0);
    }
    expect(subscriber.world.broker.statistics.resentReceived).toBe(gapsMs.length);
  });

  test('in one piece with the first one, on a quick line', async () => {
    const world = await BrokerWorld.start();
    world.connect('publisher').publish('t/a', 'kept', { retain: true });
    const client = world.connect('esp', {}, 4);
    world.advance(3);
    const subscribe = client.subscribePacket('t/#');
    client.send(subscribe, subscribe, subscribe);
    expect(client.brief().map((packet) => packet.split(' ')[0])).toEqual([
      ...['suback', 'publish', 'suback', 'suback'],
    ]);
  });

  test('where retained messages fill a slow line before its SUBACK', async () => {
    const world = await BrokerWorld.start();
    const publisher = world.connect('publisher');
    publisher.publish('big', 'x'.repeat(10_000), { retain: true });
    publisher.publish('t/a', 'kept', { retain: true });
    const client = world.connect('esp', {}, 4);
    world.advance(300);
    client.subscribe('big');
    client.packets();
    const subscribe = client.subscribePacket('t/#');
    client.send(subscribe);
    expect(client.payloads()).toEqual(['kept']);
    for (let i = 0; i < 8; i++) {
      world.advance(1000);
      client.send(subscribe);
      expect(client.payloads()).toEqual([]);
    }
  });
});

describe('SUBSCRIBE of a client that has its SUBACK replays what is retained [MQTT-3.8.4-3]', () => {
  test.each([
    ['of a quick line, a moment later', 3, 5],
    ['of a quick line, a second later', 40, 1000],
    ['of a slow one, two and a half round trips later', 800, 2000],
  ])('%s', async (_name, roundTripMs, gapMs) => {
    const subscriber = await withSubscriber(roundTripMs);
    for (let i = 0; i < 4; i++) {
      subscriber.world.advance(gapMs);
      subscriber.client.send(subscriber.subscribe);
      expect(kept(subscriber)).toBe(1);
    }
    expect(subscriber.world.broker.statistics.resentReceived).toBe(0);
  });

  test.each<[string, (subscriber: Subscriber) => void]>([
    ['acknowledged a message that came behind it', ({ client }) => client.puback(1)],
    [
      'used the identifier for another SUBSCRIBE',
      ({ client, subscribe }) => {
        client.puback(1);
        const { messageId } = subscribe;
        client.send({ ...client.subscribePacket('other'), messageId });
        client.take('suback');
      },
    ],
    [
      'used it for UNSUBSCRIBE',
      ({ client, subscribe: { messageId } }) => {
        client.send({ cmd: 'unsubscribe', messageId, unsubscriptions: ['other'] });
        client.take('unsuback');
      },
    ],
    [
      'used it for PUBLISH',
      ({ client, subscribe: { messageId } }) => {
        client.send({ ...client.publishPacket('other', '', { qos: 1 }), messageId });
        client.take('puback');
      },
    ],
    [
      'took the subscription back',
      ({ client }) => {
        client.unsubscribe('t/#');
      },
    ],
  ])('and %s', async (_name, show) => {
    // Nothing is known of its line.
    const subscriber = await withSubscriber(0, 1);
    show(subscriber);
    subscriber.client.send(subscriber.subscribe);
    expect(kept(subscriber)).toBe(1);
  });

  test('and acknowledges quickly, whatever it did before its first SUBSCRIBE', async () => {
    const subscriber = await withSubscriber(8000, 1);
    const { world, client, publisher, subscribe } = subscriber;
    world.advance(20);
    client.puback(1);
    client.send(subscribe);
    expect(kept(subscriber)).toBe(1);
    client.puback(2);
    client.send({ ...subscribe, subscriptions: [{ topic: 't/#', qos: 0 }] });
    expect(kept(subscriber)).toBe(1);
    world.advance(100);
    client.send({ ...subscribe, subscriptions: [{ topic: 't/#', qos: 0 }] });
    expect(kept(subscriber)).toBe(1);
    expect(publisher.isClosed).toBe(false);
  });

  test('and asks for something else with the same identifier', async () => {
    const subscriber = await withSubscriber(0, 0, 5);
    const { client, subscribe } = subscriber;
    const subscription = (subscribe['subscriptions'] as Fields[])[0]!;
    client.send({ ...subscribe, subscriptions: [{ ...subscription, rap: true }] });
    expect(kept(subscriber)).toBe(1);
    client.send({ ...subscribe, properties: { subscriptionIdentifier: 7 } });
    expect(kept(subscriber)).toBe(1);
  });
});

test('PUBLISH sent again each second at QoS 2 is routed once, and each is answered', async () => {
  const world = await BrokerWorld.start();
  const watcher = world.connect('watcher');
  watcher.subscribe('t', { qos: 2 });
  const client = world.connect('esp', {}, 5);
  const publish = client.publishPacket('t', 'm', { qos: 2 });
  for (let i = 0; i < 4; i++) {
    client.send({ ...publish, dup: i > 0 });
    world.advance(1000);
  }
  expect(client.packets().map(({ cmd }) => cmd)).toEqual(Array(4).fill('pubrec'));
  expect(watcher.payloads()).toEqual(['m']);
  expect(client.isClosed).toBe(false);
  expect(world.broker.statistics.resentReceived).toBe(3);
});
