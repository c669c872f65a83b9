import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
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

async function connectedTo(
  plainSockets: boolean,
): Promise<{ client: Socket; server: Recorder; listener: Listener }> {
  const listener = await listenTcp({
    address: { scheme: 'mqtt', host: '127.0.0.1', port: 0, path: '' },
    onFault: () => {},
    plainSockets,
  });
  listeners.push(listener);
  const broker = new RecordingBroker();
  listener.start(broker.accept);
  const client = connect(Number(new URL(listener.url).port), '127.0.0.1');
  client.on('error', () => {});
  await once(client, 'connect');
  return { client, server: await broker.next(), listener };
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

describe.each([
  ['the system’s stream', false],
  ['a socket', true],
] as const)('on %s', (_, plainSockets) => {
  const connected = () => connectedTo(plainSockets);

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

  test('many parts leave in order, however little the client takes at a time', async () => {
    const { client, server } = await connected();
    client.pause();
    const release = new CountingRelease();
    const parts = Array.from({ length: 3000 }, (_, i) => new Uint8Array(1 + (i % 3000)).fill(i));
    const expected = Buffer.concat(parts);
    const got = readBytes(client, expected.length);
    client.pause();
    for (let i = 0; i < parts.length; i += 1500) {
      server.network.write(parts.slice(i, i + 1500), release);
    }
    client.resume();
    expect((await got).equals(expected)).toBe(true);
    await server.until(() => server.network.unsentBytes === 0);
    const released = release.released.flat();
    expect(released.length).toBe(parts.length);
    expect(released.every((part, i) => part === parts[i])).toBe(true);
  });

  test('what waits when the client resets is released once, and the cause is told', async () => {
    const { client, server } = await connected();
    client.pause();
    const release = new CountingRelease();
    for (let i = 0; i < 3; i++) server.network.write([new Uint8Array(16 * 1024 * 1024)], release);
    client.resetAndDestroy();
    await server.until(() => server.causes.length > 0);
    server.network.write([Uint8Array.of(1)], release);
    await Promise.resolve();
    expect(release.released.length).toBe(4);
    expect(server.drains).toBe(0);
    expect(server.causes.length).toBe(1);
  });

  test('writing to a client that is gone ends the connection', async () => {
    const { client, server } = await connected();
    server.network.pauseReading();
    client.resetAndDestroy();
    await once(client, 'close');
    const release = new CountingRelease();
    let writes = 0;
    while (server.causes.length === 0) {
      server.network.write([Uint8Array.of(1)], release);
      writes++;
      await new Promise(setImmediate);
    }
    expect(release.released.length).toBe(writes);
    expect(server.causes[0]).toMatch(/^the client (reset|closed) the connection/);
  });

  test('closing after a flush that waits sends all of it, then the end', async () => {
    const { client, server } = await connected();
    client.pause();
    const large = new Uint8Array(8 * 1024 * 1024).fill(7);
    const release = new CountingRelease();
    const got = readBytes(client, large.length);
    client.pause();
    server.network.write([large], release);
    expect(server.network.unsentBytes).toBeGreaterThan(0);
    server.network.close('after-flush');
    server.network.write([Uint8Array.of(1)], release);
    const ended = once(client, 'end');
    client.resume();
    expect((await got).equals(Buffer.from(large))).toBe(true);
    await ended;
    await server.until(() => server.causes.length > 0);
    expect(release.released.length).toBe(2);
    expect(server.causes).toEqual(['the broker closed the connection']);
  });

  test('a client that ends while bytes are on their way still gets them', async () => {
    const { client, server } = await connected();
    client.pause();
    const large = new Uint8Array(8 * 1024 * 1024).fill(9);
    const got = readBytes(client, large.length);
    client.pause();
    server.network.write([large], new CountingRelease());
    client.end();
    await new Promise((resolve) => setTimeout(resolve, 0));
    client.resume();
    expect((await got).length).toBe(large.length);
    await server.until(() => server.causes.length > 0);
    expect(server.causes).toEqual(['the client closed the connection']);
  });

  test('reading that was paused inside a read goes on with the bytes in order', async () => {
    const { client, server } = await connected();
    server.onReceive = () => {
      server.network.pauseReading();
      setImmediate(() => server.network.resumeReading());
    };
    const sent = Buffer.from(Array.from({ length: 1_000_000 }, (_, i) => (i * 7) & 0xff));
    client.write(sent);
    await server.until(() => server.received.length === sent.length);
    expect(Buffer.from(server.received).equals(sent)).toBe(true);
  });

  test('the listener counts what is open and ends it by force', async () => {
    const { client, server, listener } = await connected();
    expect(listener.connections).toBe(1);
    server.network.close('after-flush');
    server.network.pauseReading();
    server.network.resumeReading();
    expect(listener.connections).toBe(1);
    listener.destroyConnections();
    await server.until(() => server.causes.length > 0);
    expect(listener.connections).toBe(0);
    client.destroy();
  });
});
