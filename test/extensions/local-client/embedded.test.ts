import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import {
  createBroker,
  LocalClientError,
  ReasonCode,
  type RunningBroker,
} from '../../../src/index.js';
import { connectPacketClient } from '../../support/packet-client.js';

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'dunlin-local-'));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return path;
}

function portOf(broker: RunningBroker): number {
  return Number(new URL(broker.addresses[0]!.replace('mqtt:', 'http:')).port);
}

test('a program and a device talk through the broker', async () => {
  const broker = await createBroker({ listen: ['mqtt://127.0.0.1:0'] });
  onTestFinished(() => broker.close());
  const { client: device } = await connectPacketClient(portOf(broker));
  device.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 'to/#', qos: 1 }] });
  await device.take('suback');
  const client = await broker.client({ clientIdentifier: 'program' });
  const fromDevice = await client.subscribe('from/+', { qos: 2 });
  expect(await client.publish('to/device', 'on', { qos: 1, contentType: 'text' })).toBe(0);
  const publish = await device.take('publish');
  expect([publish.topic, publish.payload.toString()]).toEqual(['to/device', 'on']);
  const answer = {
    topic: 'from/device',
    payload: 'done',
    qos: 1,
    dup: false,
    retain: false,
  } as const;
  device.send({ cmd: 'publish', messageId: 7, ...answer });
  for await (const message of fromDevice) {
    expect([message.topicName, message.text(), message.qos]).toEqual(['from/device', 'done', 1]);
    break;
  }
  device.destroy();
});

test('large messages and many at once go through', async () => {
  const broker = await createBroker();
  onTestFinished(() => broker.close());
  const client = await broker.client({ receiveMaximum: 5 });
  const subscription = await client.subscribe('#', { qos: 1 });
  const large = new Uint8Array(3_000_000).fill(7);
  await client.publish('large', large, { qos: 1 });
  const received = await subscription.next();
  // Element by element it would take seconds.
  expect(Buffer.compare(received.value!.payload, large)).toBe(0);
  const numbers = Array.from({ length: 5000 }, (_, i) => String(i));
  const publishing = numbers.map((text) => client.publish('n', text, { qos: 1 }));
  const found: string[] = [];
  for await (const message of subscription) {
    found.push(message.text());
    if (found.length === numbers.length) break;
  }
  expect(found).toEqual(numbers);
  await Promise.all(publishing);
});

test('what was acknowledged is there after a restart', async () => {
  const data = await folder();
  const options = { clientIdentifier: 'worker', cleanStart: false, sessionExpirySeconds: 600 };
  const first = await createBroker({ data });
  const worker = await first.client(options);
  await worker.subscribe('jobs', { qos: 1 });
  await worker.close();
  const publisher = await first.client();
  expect(await publisher.publish('jobs', 'paint the fence', { qos: 1 })).toBe(ReasonCode.Success);
  await first.close();
  const second = await createBroker({ data });
  onTestFinished(() => second.close());
  const again = await second.client(options);
  expect(again.sessionPresent).toBe(true);
  const jobs = await again.subscribe('jobs', { qos: 1 });
  expect((await jobs.next()).value?.text()).toBe('paint the fence');
});

test('closing the broker ends its clients, and there are no new ones', async () => {
  const broker = await createBroker();
  const client = await broker.client();
  const subscription = await client.subscribe('#');
  const next = subscription.next();
  await broker.close();
  expect(await next).toEqual({ done: true, value: undefined });
  expect((await client.closed).reasonCode).toBe(ReasonCode.ServerShuttingDown);
  await client.close();
  await expect(broker.client()).rejects.toBeInstanceOf(LocalClientError);
});
