import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import type { Listener } from '../../src/transport/listener.js';
import { listenTcp } from '../../src/transport/tcp-listener.js';
import { CountingRelease, type Recorder, RecordingBroker } from './recorder.js';

const listeners: Listener[] = [];

afterEach(async () => {
  for (const listener of listeners.splice(0)) {
    listener.destroyConnections();
    await listener.stopAccepting();
  }
});

async function connected(): Promise<{ client: Socket; server: Recorder }> {
  const listener = await listenTcp({
    address: { scheme: 'mqtt', host: '127.0.0.1', port: 0, path: '' },
    onFault: () => {},
  });
  listeners.push(listener);
  const broker = new RecordingBroker();
  listener.start(broker.accept);
  const client = connect(Number(new URL(listener.url).port), '127.0.0.1');
  client.on('error', () => {});
  await once(client, 'connect');
  return { client, server: await broker.next() };
}

function readBytes(client: Socket, count: number): Promise<Buffer> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let length = 0;
    client.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      length += chunk.length;
      if (length >= count) resolve(Buffer.concat(chunks));
    });
  });
}

test('bytes go in both directions and each write is released once', async () => {
  const { client, server } = await connected();
  const release = new CountingRelease();
  const one = [Uint8Array.of(1, 2)];
  const three = [Uint8Array.of(3), Uint8Array.of(4, 5), Uint8Array.of(6)];
  const got = readBytes(client, 6);
  server.network.write(one, release);
  server.network.write(three, release);
  expect([...(await got)]).toEqual([1, 2, 3, 4, 5, 6]);
  client.write(Uint8Array.of(7, 8));
  await server.until(() => server.received.length === 2);
  expect(server.received).toEqual([7, 8]);
  expect(release.released).toEqual([one, three]);
  expect(server.network.peer.host).toBe('127.0.0.1');
  expect(server.network.peer.address).toBe(`127.0.0.1:${client.localPort}`);
});

test('a client that does not read holds the bytes back until it reads', async () => {
  const { client, server } = await connected();
  const release = new CountingRelease();
  client.pause();
  const large = new Uint8Array(32 * 1024 * 1024);
  server.network.write([large], release);
  server.network.write([Uint8Array.of(9)], release);
  expect(server.network.unsentBytes).toBeGreaterThan(0);
  expect(server.drains).toBe(0);
  client.resume();
  await server.until(() => server.drains > 0);
  expect(server.network.unsentBytes).toBe(0);
  expect(release.released.length).toBe(2);
});

test('nothing is received while reading is paused', async () => {
  const { client, server } = await connected();
  server.onReceive = () => server.network.pauseReading();
  client.write(Uint8Array.of(1));
  await server.until(() => server.received.length === 1);
  client.write(Uint8Array.of(2));
  // The answer to a later write shows that the system had time to hand over the second byte.
  const answer = readBytes(client, 1);
  server.network.write([Uint8Array.of(0)], new CountingRelease());
  await answer;
  expect(server.received).toEqual([1]);
  server.network.resumeReading();
  await server.until(() => server.received.length === 2);
});

test('the last bytes arrive before the end, and what still comes in is dropped', async () => {
  const { client, server } = await connected();
  server.network.pauseReading();
  client.write(Uint8Array.of(1, 2, 3));
  const got = readBytes(client, 4);
  server.network.write([Uint8Array.of(4, 3, 2, 1)], new CountingRelease());
  server.network.close('after-flush');
  expect([...(await got)]).toEqual([4, 3, 2, 1]);
  await server.until(() => server.causes.length > 0);
  expect(server.received).toEqual([]);
  expect(server.causes).toEqual(['the broker closed the connection']);
});

test('closing now releases what never left and tells once', async () => {
  const { client, server } = await connected();
  client.pause();
  const release = new CountingRelease();
  server.network.write([new Uint8Array(32 * 1024 * 1024)], release);
  server.network.write([Uint8Array.of(1), Uint8Array.of(2)], release);
  server.network.close('now');
  server.network.write([Uint8Array.of(3)], release);
  expect(server.causes).toEqual([]);
  await server.until(() => server.causes.length > 0);
  expect(release.released.length).toBe(3);
  server.network.close('now');
  client.resume();
  await once(client, 'close');
  expect(server.causes).toEqual(['the broker closed the connection']);
});

test('the cause is in plain words when the client ends or resets', async () => {
  const ended = await connected();
  ended.client.end();
  await ended.server.until(() => ended.server.causes.length > 0);
  expect(ended.server.causes).toEqual(['the client closed the connection']);
  const reset = await connected();
  reset.client.resetAndDestroy();
  await reset.server.until(() => reset.server.causes.length > 0);
  expect(reset.server.causes).toEqual(['the client reset the connection']);
});
