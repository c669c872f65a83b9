import { expect, test } from 'vitest';
import { BrokerWorld } from '../broker-world.js';

/** A worker that acknowledges all but one message, and is there for hours. */
test('what was given up is counted by a 5.0 client until it answers it', async () => {
  const world = await BrokerWorld.start({ devices: { patienceSeconds: 120 } });
  const properties = { sessionExpiryInterval: 3600, receiveMaximum: 2 };
  const worker = world.connect('worker', { clean: true, keepalive: 0, properties }, 5);
  worker.subscribe('job/#', { qos: 1 });
  const publisher = world.connect('publisher');
  const next = (): number[] => {
    const publishes = worker.packets().filter(({ cmd }) => cmd === 'publish');
    return publishes.map(({ messageId }) => Number(messageId));
  };
  const publish = (count: number): void => {
    for (let i = 0; i < count; i++) publisher.publish('job/a', 'x', { qos: 1 });
  };
  publish(4);
  const [held, other] = next();
  worker.puback(other!);
  const [third] = next();
  world.advance(200_000);
  expect(world.broker.statistics.deadLettered).toBe(1);
  // One is given up and one in flight: for the client that is all of its Receive Maximum.
  expect(next()).toEqual([]); // [MQTT-3.3.4-9]
  worker.puback(third!);
  const [fourth] = next();
  expect(fourth).toBeGreaterThan(0);
  publish(2);
  expect(next()).toEqual([]);
  worker.puback(held!);
  expect(next()).toHaveLength(1);
  worker.puback(fourth!);
  expect(next()).toHaveLength(1);
});
