import { expect, test } from 'vitest';
import { BrokerWorld } from '../broker/broker-world.js';

test('it is known how long a client with a kept session takes to acknowledge', async () => {
  const world = await BrokerWorld.start();
  const client = world.connect('device', { clean: false }, 4);
  client.subscribe('t', { qos: 1 });
  const publisher = world.connect('publisher');
  const { queue } = world.broker.sessions.get('device')!.outbound;
  const exchange = (tookMs: number, times: number): void => {
    for (let i = 0; i < times; i++) {
      publisher.publish('t', 'x', { qos: 1 });
      world.advance(tookMs);
      for (const packet of client.packets()) {
        const { cmd, messageId } = packet as { cmd: string; messageId?: number };
        if (cmd === 'publish') client.send({ cmd: 'puback', messageId: messageId! });
      }
    }
  };
  world.advance(10);
  expect(queue.acknowledgeMs).toBe(0);
  exchange(50, 1);
  expect(queue.acknowledgeMs).toBeLessThan(20);
  exchange(50, 20);
  expect(queue.acknowledgeMs).toBeGreaterThan(40);
  exchange(5000, 3);
  exchange(1, 20);
  expect(queue.acknowledgeMs).toBeLessThan(10);
});
