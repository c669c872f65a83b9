import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import type { Listener } from '../../src/transport/listener.js';
import { listenWebSocket } from '../../src/transport/websocket-listener.js';
import { CountingRelease, RecordingBroker } from './recorder.js';

const MESSAGE_BYTES_MAX = 4096;

let listener: Listener;
let broker: RecordingBroker;
let ready = true;

beforeEach(async () => {
  ready = true;
  broker = new RecordingBroker();
  listener = await listenWebSocket({
    address: { scheme: 'ws', host: '127.0.0.1', port: 0, path: '/mqtt' },
    messageBytesMax: MESSAGE_BYTES_MAX,
    origins: ['https://good.example'],
    ready: () => ready,
    onFault: () => {},
  });
  listener.start(broker.accept);
});

afterEach(async () => {
  listener.destroyConnections();
  await listener.stopAccepting();
});

function at(path: string): string {
  return listener.url.replace(/\/mqtt$/, path);
}

async function open(path = '/mqtt', protocols: string | string[] = 'mqtt'): Promise<WebSocket> {
  const client = new WebSocket(at(path), protocols);
  await once(client, 'open');
  return client;
}

async function refusal(
  path: string,
  protocols: string[],
  headers: Record<string, string> = {},
): Promise<number> {
  const client = new WebSocket(at(path), protocols, { headers });
  client.on('error', () => {});
  const [, response] = (await once(client, 'unexpected-response')) as [
    unknown,
    { statusCode: number; resume(): void },
  ];
  response.resume();
  return response.statusCode;
}

test.each(['/mqtt', '/', '/mqtt?token=1'])('%s speaks mqtt and mqttv3.1', async (path) => {
  expect((await open(path, 'mqtt')).protocol).toBe('mqtt');
  expect((await open(path, 'mqttv3.1')).protocol).toBe('mqttv3.1');
  expect((await open(path, ['x', 'mqttv3.1', 'mqtt'])).protocol).toBe('mqtt');
});

test('no subprotocol, a foreign path and a foreign origin are refused', async () => {
  expect(await refusal('/mqtt', [])).toBe(400);
  expect(await refusal('/mqtt', ['soap'])).toBe(400);
  expect(await refusal('/other', ['mqtt'])).toBe(404);
  expect(await refusal('/mqtt', ['mqtt'], { Origin: 'https://evil.example' })).toBe(403);
  const friend = new WebSocket(at('/mqtt'), 'mqtt', { origin: 'https://good.example' });
  await once(friend, 'open');
  expect(broker.accepted.length).toBe(1);
});

test('frames are cut without regard to packets, and one flush is one frame', async () => {
  const client = await open();
  const server = await broker.next();
  client.send(Uint8Array.of(1));
  client.send(Uint8Array.of(2, 3), { fin: false });
  client.send(Uint8Array.of(4), { fin: true });
  await server.until(() => server.received.length === 4);
  expect(server.received).toEqual([1, 2, 3, 4]);
  const release = new CountingRelease();
  for (const length of [1, 125, 126, 65_535, 65_536, 1_048_576]) {
    const arrives = once(client, 'message');
    server.network.write([new Uint8Array(length).fill(7), Uint8Array.of(8)], release);
    const [data, isBinary] = (await arrives) as [Buffer, boolean];
    expect(isBinary).toBe(true);
    expect(data.length).toBe(length + 1);
    expect([data[0], data.at(-1)]).toEqual([7, 8]);
  }
  expect(server.network.peer.address).toMatch(/^127\.0\.0\.1:\d+$/);
});

test('a text frame ends the connection with 1003', async () => {
  const client = await open();
  const server = await broker.next();
  client.send('hello');
  const [code] = (await once(client, 'close')) as [number];
  expect(code).toBe(1003);
  await server.until(() => server.causes.length === 1);
  expect(server.causes[0]).toContain('text frame');
  expect(server.received).toEqual([]);
});

test('a message above the limit ends the connection with 1009', async () => {
  const client = await open();
  client.on('error', () => {});
  const server = await broker.next();
  client.send(new Uint8Array(MESSAGE_BYTES_MAX + 1));
  const [code] = (await once(client, 'close')) as [number];
  expect(code).toBe(1009);
  await server.until(() => server.causes.length === 1);
  expect(server.causes[0]).toContain('WebSocket protocol');
});

test('frames that were taken apart before a pause wait for the end of it, in order', async () => {
  const client = await open();
  const server = await broker.next();
  server.onReceive = () => server.network.pauseReading();
  const socket = (client as unknown as { _socket: { cork(): void; uncork(): void } })._socket;
  socket.cork();
  for (let i = 1; i <= 5; i++) client.send(Uint8Array.of(i));
  socket.uncork();
  for (let i = 1; i <= 5; i++) {
    await server.until(() => server.received.length === i);
    expect(server.received.length).toBe(i);
    server.network.resumeReading();
  }
  expect(server.received).toEqual([1, 2, 3, 4, 5]);
  expect(server.chunks).toBe(5);
});

test('a ping is answered and a closed client is named once', async () => {
  const client = await open();
  const server = await broker.next();
  client.ping('x');
  await once(client, 'pong');
  client.close();
  await server.until(() => server.causes.length === 1);
  expect(server.causes).toEqual(['the client closed the connection']);
  const release = new CountingRelease();
  server.network.write([Uint8Array.of(1)], release);
  await Promise.resolve();
  expect(release.released.length).toBe(1);
});

test('the broker closes after the last frame', async () => {
  const client = await open();
  const server = await broker.next();
  const messages: Buffer[] = [];
  client.on('message', (data: Buffer) => messages.push(data));
  server.network.write([Uint8Array.of(0x20, 0)], new CountingRelease());
  server.network.close('after-flush');
  const [code] = (await once(client, 'close')) as [number];
  expect(code).toBe(1000);
  expect(messages.map((data) => [...data])).toEqual([[0x20, 0]]);
  await server.until(() => server.causes.length === 1);
});

test('a socket that breaks off is told with its cause', async () => {
  const client = await open();
  const server = await broker.next();
  client.terminate();
  await server.until(() => server.causes.length === 1);
  expect(server.causes.length).toBe(1);
});

test('plain HTTP is answered with sentences', async () => {
  const base = at('').replace('ws:', 'http:');
  const page = await fetch(`${base}/mqtt`);
  expect(page.status).toBe(426);
  expect(await page.text()).toContain('MQTT broker');
  expect((await fetch(`${base}/`)).status).toBe(426);
  expect((await fetch(`${base}/other`)).status).toBe(404);
  expect((await fetch(`${base}/livez`)).status).toBe(200);
  expect((await fetch(`${base}/readyz`)).status).toBe(200);
  expect((await fetch(`${base}/`, { method: 'POST' })).status).toBe(405);
  ready = false;
  expect((await fetch(`${base}/livez`)).status).toBe(200);
  expect((await fetch(`${base}/readyz`)).status).toBe(503);
});

test('bytes that are no HTTP at all end in an answer, not in a fault', async () => {
  const client = connect(Number(new URL(listener.url).port), '127.0.0.1');
  client.write(Uint8Array.of(0x10, 0x0c, 0, 4, 0x4d, 0x51, 0x54, 0x54, 4, 2, 0, 60, 0, 0));
  const [answer] = (await once(client, 'data')) as [Buffer];
  expect(answer.toString()).toContain('400');
  client.destroy();
});
