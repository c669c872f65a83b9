import { expect, test } from 'vitest';
import { Family } from '../../src/store/key.js';
import { BrokerWorld } from './broker-world.js';

const STORED = { clean: false, properties: { sessionExpiryInterval: 3600 } };
/** More than one page. */
const MESSAGES = 300;

/** Keys of queue entries that were removed, each as often as it was. */
function removedEntries(world: BrokerWorld): string[] {
  return world.engine.writes.flatMap(({ keys, values }) =>
    keys
      .filter((key, i) => key[0] === Family.Queue && values[i] === undefined)
      .map((key) => Buffer.from(key).toString('hex')),
  );
}

test('a session that ends while its queue is being shortened gives up each message once', async () => {
  const world = await BrokerWorld.start({
    holdsCommits: true,
    limits: { queuedMessagesMax: MESSAGES },
  });
  const client = world.connect('leaving', STORED);
  client.send(client.subscribePacket('$share/g/t', { qos: 1 }));
  world.commitAll();
  client.drop();
  const publisher = world.connect('publisher');
  for (let i = 0; i < MESSAGES; i++) publisher.publish('t', `m${i}`, { qos: 1 });
  world.commitAll();
  // One too many: the queue is read to be shortened, and meanwhile the session ends.
  publisher.publish('t', 'last', { qos: 1 });
  const again = world.connecting('leaving', { clean: true });
  world.commitAll();
  expect(again.take('connack')['sessionPresent']).toBe(false);
  const removed = removedEntries(world);
  expect(removed).toHaveLength(MESSAGES + 1);
  expect(new Set(removed).size).toBe(removed.length);
});

test('a QoS 0 message that waits for its publisher does not join a queue that has ended', async () => {
  const world = await BrokerWorld.start({ holdsCommits: true, limits: { queueQoS0: true } });
  const client = world.connect('leaving', STORED);
  client.send(client.subscribePacket('t', { qos: 0 }));
  world.commitAll();
  client.drop();
  const publisher = world.connect('publisher', STORED);
  publisher.publish('t', 'm', { qos: 2 });
  world.connecting('leaving', { clean: true });
  world.commitAll();
  expect(world.broker.statistics.dropped.session_ended).toBe(1);
});
