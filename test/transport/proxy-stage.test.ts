import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import type { Peer } from '../../src/session/network-connection.js';
import type { Listener } from '../../src/transport/listener.js';
import { networksOf } from '../../src/transport/networks.js';
import { proxyStage } from '../../src/transport/proxy-stage.js';
import { listenTcp } from '../../src/transport/tcp-listener.js';
import { listenWebSocket } from '../../src/transport/websocket-listener.js';
import { addition, version2 } from './proxy-headers.js';
import { RecordingBroker } from './recorder.js';

const listeners: Listener[] = [];
const refusals: { peer: Peer; reason: string }[] = [];
let refused: () => void = () => {};

afterEach(async () => {
  for (const listener of listeners.splice(0)) {
    listener.destroyConnections();
    await listener.stopAccepting();
  }
  refusals.length = 0;
});

function stage(trusted: string, headerMsMax = 10_000) {
  return proxyStage({
    trusted: networksOf([trusted])!,
    headerMsMax,
    onRefused: (peer, reason) => {
      refusals.push({ peer, reason });
      refused();
    },
  });
}

const nextRefusal = (): Promise<void> =>
  new Promise((resolve) => {
    refused = resolve;
  });

async function listen(trusted = '127.0.0.0/8', headerMsMax?: number) {
  const broker = new RecordingBroker();
  const listener = await listenTcp({
    address: { scheme: 'mqtt', host: '127.0.0.1', port: 0, path: '' },
    onFault: () => {},
    stages: [stage(trusted, headerMsMax)],
  });
  listeners.push(listener);
  listener.start(broker.accept);
  return { broker, listener };
}

function client(listener: Listener): Socket {
  const socket = connect({ port: Number(new URL(listener.url).port), noDelay: true });
  socket.on('error', () => {});
  return socket;
}

const v1 = Buffer.from('PROXY TCP4 192.0.2.1 192.0.2.9 4711 1883\r\n');
const v2 = version2(
  0x21,
  0x11,
  Buffer.from([192, 0, 2, 1, 192, 0, 2, 9, 0x12, 0x67, 0x07, 0x5b]),
  addition(
    0x20,
    Buffer.concat([Buffer.from([7, 0, 0, 0, 0]), addition(0x22, Buffer.from('pump'))]),
  ),
);

test.each([
  ['version 1', v1, undefined],
  ['version 2', v2, 'pump'],
])('%s: the client is the one that the proxy names', async (_, header, commonName) => {
  const { broker, listener } = await listen();
  const socket = client(listener);
  socket.write(Buffer.concat([header, Buffer.from([1, 2, 3])]));
  const server = await broker.next();
  await server.until(() => server.received.length === 3);
  expect(server.received).toEqual([1, 2, 3]);
  const { peer } = server.network;
  expect(peer).toMatchObject({ address: '192.0.2.1:4711', host: '192.0.2.1' });
  expect(peer.proxiedFrom).toBe(`127.0.0.1:${socket.localPort}`);
  expect(peer.proxiedCommonName).toBe(commonName);
  socket.write(Buffer.from([4]));
  await server.until(() => server.received.length === 4);
});

test.each([
  ['version 1', v1],
  ['version 2', v2],
])('%s may come in two pieces, cut anywhere', async (_, header) => {
  const { broker, listener } = await listen();
  const whole = Buffer.concat([header, Buffer.from([1, 2, 3])]);
  for (let cut = 1; cut < whole.length; cut++) {
    const socket = client(listener);
    await new Promise((resolve) => socket.write(whole.subarray(0, cut), resolve));
    // The round trip of another connection lets the first piece arrive alone.
    const other = client(listener);
    other.write(v1);
    const served = await broker.next();
    socket.write(whole.subarray(cut));
    const server = cut >= header.length ? served : await broker.next();
    const ours = server.network.peer.proxiedFrom?.endsWith(`:${socket.localPort}`) === true;
    const recorder = ours ? server : await broker.next();
    await recorder.until(() => recorder.received.length === 3);
    expect(recorder.received).toEqual([1, 2, 3]);
    socket.destroy();
    other.destroy();
  }
});

test('who is no trusted proxy is refused with one sentence', async () => {
  const { broker, listener } = await listen('10.0.0.0/8');
  const told = nextRefusal();
  const socket = client(listener);
  socket.write(v1);
  await told;
  await once(socket, 'close');
  expect(refusals.map(({ reason }) => reason)).toEqual([
    'its address is none of the trusted proxies',
  ]);
  expect(refusals[0]!.peer.host).toBe('127.0.0.1');
  expect(broker.accepted).toEqual([]);
});

test('a trusted proxy that sends no header is refused', async () => {
  const { broker, listener } = await listen();
  const told = nextRefusal();
  const socket = client(listener);
  socket.write(Buffer.from([0x10, 0x0c, 0, 4]));
  await told;
  expect(refusals[0]!.reason).toContain('does not begin with a PROXY header');
  expect(broker.accepted).toEqual([]);
});

test('one that sends half a header is refused after a time', async () => {
  const { listener } = await listen('127.0.0.0/8', 1);
  const told = nextRefusal();
  client(listener).write(v1.subarray(0, 8));
  await told;
  expect(refusals[0]!.reason).toContain('in time');
});

test('one that says nothing and leaves is no fault', async () => {
  const { broker, listener } = await listen();
  const socket = client(listener);
  await once(socket, 'connect');
  socket.end();
  await once(socket, 'close');
  expect(refusals).toEqual([]);
  expect(broker.accepted).toEqual([]);
});

test('a header stands before the upgrade of a WebSocket as well', async () => {
  const broker = new RecordingBroker();
  const listener = await listenWebSocket({
    address: { scheme: 'ws', host: '127.0.0.1', port: 0, path: '/mqtt' },
    onFault: () => {},
    stages: [stage('127.0.0.1')],
    messageBytesMax: 4096,
    origins: undefined,
    ready: () => true,
  });
  listeners.push(listener);
  listener.start(broker.accept);
  const socket = client(listener);
  const webSocket = new WebSocket(listener.url, 'mqtt', {
    createConnection: () => {
      socket.write(v2);
      return socket;
    },
  });
  await once(webSocket, 'open');
  webSocket.send(Uint8Array.of(1, 2, 3));
  const server = await broker.next();
  await server.until(() => server.received.length === 3);
  expect(server.network.peer).toMatchObject({ host: '192.0.2.1', proxiedCommonName: 'pump' });
});
