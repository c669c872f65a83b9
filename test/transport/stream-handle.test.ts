import { once } from 'node:events';
import { connect, createServer, type Server } from 'node:net';
import { afterEach, expect, test, vi } from 'vitest';
import { StreamHandles } from '../../src/transport/stream-handle.js';
import { listenTcp } from '../../src/transport/tcp-listener.js';
import { CountingRelease, RecordingBroker } from './recorder.js';

const internals = process as unknown as { binding: (name: string) => object };

afterEach(() => {
  vi.restoreAllMocks();
});

async function listening(): Promise<Server> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

test('this Node has what it takes', async () => {
  const server = await listening();
  expect(StreamHandles.under(server)).toBeInstanceOf(StreamHandles);
  server.close();
});

test('a server that does not listen has none', () => {
  expect(StreamHandles.under(createServer())).toBeUndefined();
});

const other = internals.binding('stream_wrap');

test.each([
  [
    'is forbidden',
    () => {
      throw new Error('ERR_ACCESS_DENIED');
    },
  ],
  ['knows no such requests', () => ({ ...other, WriteWrap: undefined })],
  ['keeps its state elsewhere', () => ({ ...other, streamBaseState: [0, 0, 0, 0] })],
  ['names no places in it', () => ({ ...other, kLastWriteWasAsync: undefined })],
])('where the binding %s, connections are sockets and do the same', async (_, binding) => {
  const spy = vi.spyOn(internals, 'binding').mockImplementation(binding);
  const listener = await listenTcp({
    address: { scheme: 'mqtt', host: '127.0.0.1', port: 0, path: '' },
    onFault: () => {},
  });
  expect(spy).toHaveBeenCalled();
  const broker = new RecordingBroker();
  listener.start(broker.accept);
  const client = connect(Number(new URL(listener.url).port), '127.0.0.1');
  client.write(Uint8Array.of(1, 2));
  const server = await broker.next();
  await server.until(() => server.received.length === 2);
  // Only a handle takes bursts.
  expect(server.network.takesBursts).toBeUndefined();
  server.network.write([Uint8Array.of(3)], new CountingRelease());
  expect([...((await once(client, 'data'))[0] as Buffer)]).toEqual([3]);
  client.destroy();
  await server.until(() => server.causes.length === 1);
  await listener.stopAccepting();
});

test('a handle without one of the methods is left alone', async () => {
  const server = await listening();
  Object.assign((server as unknown as { _handle: object })._handle, { writev: undefined });
  expect(StreamHandles.under(server)).toBeUndefined();
  server.close();
});

test('a connection that cannot be accepted is told, and the next one is served', async () => {
  const server = await listening();
  const handles = StreamHandles.under(server)!;
  const told: number[] = [];
  let connected = 0;
  handles.onConnection(
    (handle) => {
      connected++;
      handle.close(() => {});
    },
    (error) => told.push(error),
  );
  const raw = (server as unknown as { _handle: { onconnection(error: number): void } })._handle;
  raw.onconnection(-24);
  expect(told).toEqual([-24]);
  const { port } = server.address() as { port: number };
  const client = connect(port, '127.0.0.1');
  await once(client, 'close');
  expect(connected).toBe(1);
  server.close();
});
