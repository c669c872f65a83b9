import { expect, test } from 'vitest';
import { BrokerWorld } from './broker-world.js';
import type { TestClient } from './test-client.js';

const STORED = { clean: false, properties: { sessionExpiryInterval: 3600 } };

/** A client with a stored Session, on a disk that takes its time. */
async function slowDisk(): Promise<{ world: BrokerWorld; client: TestClient }> {
  const world = await BrokerWorld.start({ holdsCommits: true });
  return { world, client: world.connect('client', STORED) };
}

/** CONNACK of a Session that is known does not wait for the disk. */
function comeBack(world: BrokerWorld): TestClient {
  const client = world.connecting('client', STORED);
  client.take('connack');
  return client;
}

test('PUBREC of a PUBLISH sent again waits until the first one is durable', async () => {
  const { world, client } = await slowDisk();
  client.publish('t', 'm', { qos: 2, messageId: 7 });
  client.drop();
  const again = comeBack(world);
  again.publish('t', 'm', { qos: 2, messageId: 7, dup: true });
  expect(again.brief()).toEqual([]);
  world.commitAll();
  expect(again.brief()).toEqual(['pubrec 7']);
});

test('PUBCOMP of a PUBREL sent again waits until the identifier is durably free', async () => {
  const { world, client } = await slowDisk();
  client.publish('t', 'm', { qos: 2, messageId: 7 });
  world.commitAll();
  client.send({ cmd: 'pubrel', messageId: 7 });
  client.drop();
  const again = comeBack(world);
  again.send({ cmd: 'pubrel', messageId: 7 });
  expect(again.brief()).toEqual([]);
  world.commitAll();
  expect(again.brief()).toEqual(['pubcomp 7 0x92']);
});

test('UNSUBACK of an UNSUBSCRIBE sent again waits until the first one is durable', async () => {
  const { world, client } = await slowDisk();
  client.send(client.subscribePacket('t'));
  world.commitAll();
  const unsubscribe = { cmd: 'unsubscribe', messageId: 9, unsubscriptions: ['t'] };
  client.send(unsubscribe);
  client.drop();
  const again = comeBack(world);
  again.send(unsubscribe);
  expect(again.brief()).toEqual([]);
  world.commitAll();
  expect(again.brief()).toEqual(['unsuback 9']);
});

test('PUBACK of a second removal of a retained message waits for the first one', async () => {
  const { world, client } = await slowDisk();
  client.publish('t', 'm', { qos: 1, retain: true });
  world.commitAll();
  client.publish('t', '', { qos: 1, retain: true, messageId: 5 });
  client.drop();
  const again = comeBack(world);
  again.publish('t', '', { qos: 1, retain: true, messageId: 5, dup: true });
  expect(again.brief()).toEqual([]);
  world.commitAll();
  expect(again.brief()).toEqual(['puback 5 0x10']);
});

test('PUBREC for a message that has not been sent again yet lets it come all the same', async () => {
  const world = await BrokerWorld.start();
  const client = world.connect('client', STORED);
  client.subscribe('t', { qos: 2 });
  const publisher = world.connect('publisher');
  publisher.publish('t', 'a', { qos: 2 });
  publisher.publish('t', 'b', { qos: 2 });
  expect(client.brief()).toEqual(['publish 1 a', 'publish 2 b']);
  client.drop();
  const properties = { ...STORED.properties, receiveMaximum: 1 };
  const again = world.connect('client', { ...STORED, properties });
  expect(again.brief()).toEqual(['publish 1 dup a']);
  // A PUBREL for it, and the client would take the PUBLISH that follows for a new message.
  again.send({ cmd: 'pubrec', messageId: 2 });
  expect(again.brief()).toEqual([]);
  again.send({ cmd: 'pubrec', messageId: 1 });
  again.send({ cmd: 'pubcomp', messageId: 1 });
  expect(again.brief()).toEqual(['pubrel 1', 'publish 2 dup b']);
});
