import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { ListenError } from '../../src/transport/listener.js';
import { listenTcp } from '../../src/transport/tcp-listener.js';
import { RecordingBroker } from './recorder.js';

function options(host: string, port: number) {
  return { address: { scheme: 'mqtt' as const, host, port, path: '' }, onFault: () => {} };
}

function portOf(url: string): number {
  return Number(new URL(url).port);
}

test('a taken port, a foreign address and an unknown name become sentences', async () => {
  const first = await listenTcp(options('127.0.0.1', 0));
  const port = portOf(first.url);
  const taken = await listenTcp(options('127.0.0.1', port)).catch((error: unknown) => error);
  expect(taken).toBeInstanceOf(ListenError);
  expect(taken).toMatchObject({
    code: 'EADDRINUSE',
    port,
    message: `port ${port} on 127.0.0.1 is taken by another program`,
  });
  await expect(listenTcp(options('192.0.2.1', 0))).rejects.toThrow(
    'this machine has no address 192.0.2.1',
  );
  await first.stopAccepting();
  const again = await listenTcp(options('127.0.0.1', port));
  expect(again.url).toBe(`mqtt://127.0.0.1:${port}`);
  await again.stopAccepting();
});

test('connections that come before the start wait, with their bytes', async () => {
  const listener = await listenTcp(options('127.0.0.1', 0));
  const client = connect(portOf(listener.url), '127.0.0.1');
  await once(client, 'connect');
  client.write(Uint8Array.of(1, 2, 3));
  const broker = new RecordingBroker();
  listener.start(broker.accept);
  const server = await broker.next();
  await server.until(() => server.received.length === 3);
  expect(server.network.peer.listener).toBe(listener.url);
  await listener.stopAccepting();
  listener.destroyConnections();
  await once(client, 'close');
});

test('after the end of accepting, open connections go on', async () => {
  const listener = await listenTcp(options('127.0.0.1', 0));
  const broker = new RecordingBroker();
  listener.start(broker.accept);
  const client = connect(portOf(listener.url), '127.0.0.1');
  const server = await broker.next();
  await listener.stopAccepting();
  const refused = connect(portOf(listener.url), '127.0.0.1');
  const [error] = (await once(refused, 'error')) as [NodeJS.ErrnoException];
  expect(error.code).toBe('ECONNREFUSED');
  client.write(Uint8Array.of(5));
  await server.until(() => server.received.length === 1);
  client.destroy();
  await server.until(() => server.causes.length === 1);
});
