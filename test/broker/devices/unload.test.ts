import { expect, test } from 'vitest';
import { BrokerWorld } from '../broker-world.js';

const STORED = { clean: false, properties: { sessionExpiryInterval: 3600, receiveMaximum: 2 } };

test('what waits for a client that acknowledges nothing leaves the memory, and comes in the end', async () => {
  const world = await BrokerWorld.start();
  const client = world.connect('deaf', STORED);
  client.subscribe('t', { qos: 1 });
  const publisher = world.connect('publisher');
  const all = Array.from({ length: 50 }, (_, i) => `m${i}`);
  for (const text of all) publisher.publish('t', text, { qos: 1 });
  world.run();
  const { queue } = world.broker.sessions.get('deaf')!.outbound;
  expect([...queue].length).toBeGreaterThan(40);
  world.advance(60_000);
  expect([...queue]).toEqual([]);
  const came: unknown[] = [];
  for (;;) {
    const sent = client.publishes();
    if (sent.length === 0) break;
    for (const { payload, messageId } of sent) {
      came.push(String(payload));
      client.puback(Number(messageId));
    }
    world.run();
  }
  expect(came).toEqual(all);
  expect(queue.count).toBe(0);
});
