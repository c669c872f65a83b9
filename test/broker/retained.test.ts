import { expect, test } from 'vitest';
import { BrokerWorld } from './broker-world.js';

test('deep Topic Names count against the memory of retained messages by their levels', async () => {
  const world = await BrokerWorld.start({ limits: { retainedBytesMax: 4000 } });
  const publisher = world.connect('publisher');
  const deep = '/x'.repeat(40);
  for (const first of ['a', 'b']) {
    publisher.publish(`${first}${deep}`, 'x', { retain: true });
  }
  expect(world.broker.retained.count).toBe(1);
  publisher.publish(`a${deep}`, '', { retain: true });
  expect(world.broker.retained.bytes).toBe(0);
  publisher.publish(`b${deep}`, 'x', { retain: true });
  expect(world.broker.retained.count).toBe(1);
});
