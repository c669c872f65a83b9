import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import type { Peer } from '../../src/session/network-connection.js';
import type { Listener } from '../../src/transport/listener.js';
import { networksOf } from '../../src/transport/networks.js';
import { STRANGER_BYTES_MAX } from '../../src/transport/websocket-connection.js';
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
    trustedProxies: networksOf(['127.0.0.1', '10.0.0.0/8'])!,
    httpHandler: (request, response) => {
      if (request.url !== '/admin') return false;
      response.end('ours');
      return true;
    },
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

async function peerWith(
  headers: Record<string, string>,
  protocols: string | string[] = 'mqtt',
): Promise<Peer> {
  const client = new WebSocket(at('/mqtt'), protocols, { headers });
  await once(client, 'open');
  const server = await broker.next();
  client.terminate();
  return server.network.peer;
}

test.each([
  ['203.0.113.7', '203.0.113.7:0'],
  ['203.0.113.7:4711', '203.0.113.7:4711'],
  ['[2001:db8::1]:4711', '[2001:db8::1]:4711'],
  ['198.51.100.1, 203.0.113.7, 10.1.1.1', '203.0.113.7:0'],
  ['10.1.1.1', '10.1.1.1:0'],
  ['not an address, 10.1.1.1', '10.1.1.1:0'],
])('X-Forwarded-For %s of a trusted proxy names %s', async (header, address) => {
  const peer = await peerWith({ 'X-Forwarded-For': header });
  expect(peer.address).toBe(address);
  expect(peer.proxiedFrom).toMatch(/^127\.0\.0\.1:\d+$/);
});

test('without X-Forwarded-For, or with no address in it, the proxy itself is the client', async () => {
  for (const headers of [{}, { 'X-Forwarded-For': 'unknown' }]) {
    const peer = await peerWith(headers);
    expect(peer.address).toMatch(/^127\.0\.0\.1:\d+$/);
    expect(peer.proxiedFrom).toBeUndefined();
  }
});

test('cookies, a token and the origin come along', async () => {
  const cookie = 'a=1; session=x%20y; quoted="q"; a=2; =; broken';
  const headers = { Cookie: cookie, Origin: 'https://good.example' };
  const { request } = await peerWith({ ...headers, Authorization: 'Bearer abc.def' });
  expect(request).toMatchObject({ url: '/mqtt', origin: 'https://good.example', token: 'abc.def' });
  expect({ ...request!.cookies }).toEqual({ a: '1', session: 'x y', quoted: 'q' });
  const offered = await peerWith({}, ['mqtt', 'bearer.eyJ.x-y_z']);
  expect(offered.request?.token).toBe('eyJ.x-y_z');
  const nothing = await peerWith({});
  expect(nothing.request?.token).toBeUndefined();
});

test('other requests go to the handler first', async () => {
  const base = at('').replace('ws:', 'http:');
  expect(await (await fetch(`${base}/admin`)).text()).toBe('ours');
  expect((await fetch(`${base}/livez`)).status).toBe(200);
});

async function sendLarge(client: WebSocket): Promise<void> {
  for (let sent = 0; sent <= STRANGER_BYTES_MAX; sent += MESSAGE_BYTES_MAX) {
    await new Promise((resolve) => client.send(new Uint8Array(MESSAGE_BYTES_MAX), resolve));
  }
}

test('a stranger may send little, one who was let in as much as he likes', async () => {
  const stranger = await open();
  stranger.on('error', () => {});
  const strange = await broker.next();
  await sendLarge(stranger);
  await strange.until(() => strange.causes.length === 1);
  expect(strange.causes[0]).toContain('before it was let in');
  const friend = await open();
  const server = await broker.next();
  server.network.admitted!();
  await sendLarge(friend);
  await server.until(() => server.bytes > STRANGER_BYTES_MAX);
  expect(server.causes).toEqual([]);
});

test('a request that does not end is ended', async () => {
  const reasons: string[] = [];
  const impatient = await listenWebSocket({
    address: { scheme: 'ws', host: '127.0.0.1', port: 0, path: '/mqtt' },
    messageBytesMax: MESSAGE_BYTES_MAX,
    origins: undefined,
    requestMsMax: 1,
    ready: () => true,
    onFault: () => {},
    onRefused: (_, reason) => reasons.push(reason),
  });
  onTestFinished(() => impatient.stopAccepting());
  const client = connect(Number(new URL(impatient.url).port), '127.0.0.1');
  client.write('GET /livez HTTP/1.1\r\nHost: x\r\n');
  const [answer] = (await once(client, 'data')) as [Buffer];
  expect(answer.toString()).toContain('408');
  await once(client, 'close');
  expect(reasons).toEqual([expect.stringContaining('Request timeout')]);
});
