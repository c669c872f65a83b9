import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Level } from 'level';
import { connectAsync } from 'mqtt';
import { expect, test, vi } from 'vitest';
import { createBroker, StartError } from '../../src/index.js';

test('by default it listens nowhere and keeps everything in memory', async () => {
  const broker = await createBroker();
  expect(broker.addresses).toEqual([]);
  await broker.close();
  await broker.close();
});

test('clients of both transports meet', async () => {
  const broker = await createBroker({ listen: ['mqtt://127.0.0.1:0', 'ws://127.0.0.1:0'] });
  const [tcp, webSocket] = broker.addresses;
  expect(webSocket).toMatch(/^ws:\/\/127\.0\.0\.1:\d+\/mqtt$/);
  const reader = await connectAsync(webSocket!, { protocolVersion: 5, reconnectPeriod: 0 });
  const writer = await connectAsync(tcp!, { protocolVersion: 4, reconnectPeriod: 0 });
  await reader.subscribeAsync('a/+', { qos: 2 });
  const arrives = new Promise<string>((resolve) => {
    reader.on('message', (_topic, payload) => resolve(payload.toString()));
  });
  await writer.publishAsync('a/b', 'hello', { qos: 2 });
  expect(await arrives).toBe('hello');
  const goodbye = new Promise((resolve) => {
    reader.on('disconnect', ({ reasonCode }) => resolve(reasonCode));
  });
  reader.on('error', () => {});
  await broker.close();
  expect(await goodbye).toBe(0x8b);
  await Promise.all([reader.endAsync(true), writer.endAsync(true)]);
});

test('a folder keeps retained messages from one broker to the next', async () => {
  const data = mkdtempSync(join(tmpdir(), 'dunlin-embedded-'));
  const listen = ['mqtt://127.0.0.1:0'];
  const first = await createBroker({ listen, data, durability: 'process' });
  const writer = await connectAsync(first.addresses[0]!, { reconnectPeriod: 0 });
  await writer.publishAsync('kept', 'yes', { qos: 1, retain: true });
  await writer.endAsync();
  await first.close();
  const second = await createBroker({ listen, data });
  const reader = await connectAsync(second.addresses[0]!, { reconnectPeriod: 0 });
  const arrives = new Promise<string>((resolve) => {
    reader.on('message', (_topic, payload) => resolve(payload.toString()));
  });
  await reader.subscribeAsync('kept');
  expect(await arrives).toBe('yes');
  await reader.endAsync();
  await second.close();
  rmSync(data, { recursive: true });
});

test('a listener can be closed to protocol versions', async () => {
  const listen = [{ url: 'mqtt://127.0.0.1:0', versions: ['5.0' as const] }];
  const broker = await createBroker({ listen });
  const url = broker.addresses[0]!;
  await expect(connectAsync(url, { protocolVersion: 4, reconnectPeriod: 0 })).rejects.toThrow();
  const client = await connectAsync(url, { protocolVersion: 5, reconnectPeriod: 0 });
  await client.endAsync();
  await broker.close();
});

test('wrong options are told all at once', async () => {
  const listen = ['mqtt://0.0.0.0:0'];
  await expect(createBroker({ listen })).rejects.toThrow('can be reached from other machines');
  const wrong = createBroker({ durability: 'none' as never, limits: { receiveMaximum: 0 } });
  const error = await wrong.catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(StartError);
  expect((error as StartError).sentences).toEqual([
    'durability: expected power, process or memory, not "none"',
    'limits.receiveMaximum: expected a whole number from 1 to 65535, not 0',
  ]);
});

test('a taken address leaves no other one open', async () => {
  const first = await createBroker({ listen: ['mqtt://127.0.0.1:0'] });
  const taken = first.addresses[0]!;
  const free = taken.replace(/\d+$/, '0');
  await expect(createBroker({ listen: [free, taken] })).rejects.toThrow('is taken by');
  await first.close();
  const again = await createBroker({ listen: [taken] });
  await again.close();
});

test('what comes due while the store closes is left to the next start', async () => {
  const data = mkdtempSync(join(tmpdir(), 'dunlin-expiring-'));
  const broker = await createBroker({ data, durability: 'process' });
  const writer = await broker.client();
  await writer.publish('t', 'm', { qos: 1, retain: true, messageExpirySeconds: 1 });
  const { close } = Level.prototype;
  const slowClose = vi.spyOn(Level.prototype, 'close').mockImplementation(async function (
    this: Level,
  ) {
    await close.call(this);
    await new Promise((resolve) => setTimeout(resolve, 1200));
  });
  let isFailed = false;
  void broker.storeFailed.then(() => {
    isFailed = true;
  });
  await broker.close();
  expect(isFailed).toBe(false);
  slowClose.mockRestore();
  rmSync(data, { recursive: true });
});
