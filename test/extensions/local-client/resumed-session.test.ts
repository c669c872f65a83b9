import { expect, test } from 'vitest';
import type { LocalClient } from '../../../src/extensions/local-client/local-client.js';
import type { LocalSubscription } from '../../../src/extensions/local-client/local-subscription.js';
import { defaultListenerPolicy } from '../../../src/session/limits.js';
import type { NetworkConnection } from '../../../src/session/network-connection.js';
import { ReasonCode } from '../../../src/wire/reason-code.js';
import { encodePacket } from '../../conformance/harness/packet.js';
import { VirtualBroker } from '../virtual-broker.js';

const FILTERS = ['a/+', 'a/#', 'b'];

function resumed(broker: VirtualBroker, receiveMaximum = 64): Promise<LocalClient> {
  return broker.client({
    clientIdentifier: 'worker',
    cleanStart: false,
    sessionExpirySeconds: 3600,
    receiveMaximum,
  });
}

async function read(subscription: LocalSubscription, count: number): Promise<string[]> {
  const found: string[] = [];
  for await (const message of subscription) {
    found.push(`${message.topicName} ${message.text()}`);
    if (found.length === count) break;
  }
  return found;
}

test.each([1, 2] as const)('what came meanwhile at QoS %i waits for its filter', async (qos) => {
  const broker = await VirtualBroker.start();
  const first = await resumed(broker);
  expect(first.sessionPresent).toBe(false);
  for (const filter of FILTERS) await first.subscribe(filter, { qos });
  await first.close();
  const publisher = await broker.client();
  for (const topic of ['a/1', 'b', 'a/2']) await publisher.publish(topic, 'x', { qos });
  const second = await resumed(broker);
  expect(second.sessionPresent).toBe(true);
  // All of it arrives before anything is asked for, in another order than before.
  await broker.settle();
  const b = await second.subscribe('b', { qos });
  expect(await read(b, 1)).toEqual(['b x']);
  const all = await second.subscribe('a/#', { qos });
  expect(await read(all, 2)).toEqual(['a/1 x', 'a/2 x']);
  const one = await second.subscribe('a/+', { qos });
  expect(await read(one, 2)).toEqual(['a/1 x', 'a/2 x']);
  await publisher.publish('a/3', 'y', { qos });
  expect(await read(one, 1)).toEqual(['a/3 y']);
  expect(await read(all, 1)).toEqual(['a/3 y']);
});

test('what a loop had not done with comes again, what it had does not', async () => {
  const broker = await VirtualBroker.start();
  const first = await resumed(broker);
  const subscription = await first.subscribe('b', { qos: 1 });
  const publisher = await broker.client();
  for (const text of ['1', '2', '3']) await publisher.publish('b', text, { qos: 1 });
  expect(await read(subscription, 2)).toEqual(['b 1', 'b 2']);
  await broker.settle();
  await first.close();
  const second = await resumed(broker);
  expect(await read(await second.subscribe('b', { qos: 1 }), 2)).toEqual(['b 2', 'b 3']);
});

test('messages that were in a loop when it was unsubscribed hold nothing back', async () => {
  const broker = await VirtualBroker.start();
  const client = await resumed(broker, 2);
  const left = await client.subscribe('a/#', { qos: 1 });
  const stays = await client.subscribe('b', { qos: 1 });
  const publisher = await broker.client();
  for (const text of ['1', '2', '3']) await publisher.publish('a/x', text, { qos: 1 });
  await broker.settle();
  await publisher.publish('b', 'y', { qos: 1 });
  await left.unsubscribe();
  expect(await read(stays, 1)).toEqual(['b y']);
  expect(await left.next()).toEqual({ done: true, value: undefined });
});

test('an exchange of an earlier client does not swallow a QoS 2 message', async () => {
  const broker = await VirtualBroker.start();
  const watcher = await broker.client();
  const seen = await watcher.subscribe('#', { qos: 2 });
  // It publishes with the identifiers 1 to 5 and goes without PUBREL.
  await abandon(broker, 5);
  expect(await read(seen, 5)).toEqual(['t 1', 't 2', 't 3', 't 4', 't 5']);
  const client = await resumed(broker);
  expect(client.sessionPresent).toBe(true);
  for (const text of ['6', '7', '8']) {
    expect(await client.publish('t', text, { qos: 2 })).toBe(ReasonCode.Success);
  }
  expect(await read(seen, 3)).toEqual(['t 6', 't 7', 't 8']);
});

/** A client of the same name, by hand. */
async function abandon(broker: VirtualBroker, count: number): Promise<void> {
  const network: NetworkConnection = {
    peer: { address: '192.0.2.1:1', host: '192.0.2.1', listener: 'mqtt://192.0.2.2:1883' },
    unsentBytes: 0,
    write: (parts, release) => release.written(parts),
    pauseReading: () => {},
    resumeReading: () => {},
    close: () => {},
  };
  const events = broker.broker.accept(network, defaultListenerPolicy);
  const send = (packet: Parameters<typeof encodePacket>[0]): void =>
    events.receive(encodePacket(packet, 5, new Map()));
  send({ CONNECT: { clientId: 'worker', clean: false, expiry: 3600 } });
  for (let id = 1; id <= count; id++) {
    send({ PUBLISH: { id, qos: 2, topic: 't', payload: String(id) } });
  }
  await broker.settle();
  events.networkClosed('gone');
  await broker.settle();
}
