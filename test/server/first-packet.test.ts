import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect as connectTcp, Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { generate } from 'mqtt-packet';
import { afterEach, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { createWebSocketStream, WebSocket } from 'ws';
import { silentLogger } from '../../src/base/log.js';
import { createAuthority, issueCertificate } from '../../src/server/certificates/authority.js';
import { compose, type RunningBroker } from '../../src/server/compose.js';
import { parseConfig } from '../../src/server/config.js';
import { LISTEN_BACKLOG } from '../../src/transport/listener.js';
import { listenBacklog, systemSocket } from '../support/system-socket.js';

const CONNACK = [0x20, 2, 0, 0];
const internals = process as unknown as { binding: (name: string) => object };

let folder: string;
let authority: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'dunlin-first-packet-'));
  const nowMs = Date.now();
  const own = await createAuthority({ commonName: 'house', days: 10, nowMs });
  const purpose = { names: ['localhost'], usage: 'server', days: 5, nowMs } as const;
  const server = await issueCertificate(own, { commonName: 'localhost', ...purpose });
  authority = own.certificate;
  writeFileSync(join(folder, 'certificate'), server.certificate);
  writeFileSync(join(folder, 'key'), server.privateKey);
  return () => rmSync(folder, { recursive: true });
});

afterEach(() => {
  vi.restoreAllMocks();
});

/** Both ways to serve a stream: the system's own, and Node's sockets where that is out of reach. */
const DOORS = [
  ['mqtt', 'on the system’s stream', false],
  ['mqtt', 'on sockets', true],
  ['mqtts', '', false],
  ['ws', '', false],
  ['wss', '', false],
] as const;

type Scheme = (typeof DOORS)[number][0];

async function start(scheme: Scheme, onSockets: boolean): Promise<RunningBroker> {
  const tls = { certificate: join(folder, 'certificate'), key: join(folder, 'key') };
  const url = `${scheme}://127.0.0.1:0`;
  const isSecure = scheme.endsWith('s') && scheme !== 'ws';
  const config = parseConfig({
    inMemory: true,
    listen: [isSecure ? { url, tls } : { url }],
  });
  if (!('listen' in config)) throw new Error(JSON.stringify(config));
  if (onSockets) {
    vi.spyOn(internals, 'binding').mockImplementation(() => {
      throw new Error('ERR_ACCESS_DENIED');
    });
  }
  const broker = await compose(config, silentLogger);
  onTestFinished(() => broker.close());
  return broker;
}

function portOf(broker: RunningBroker): number {
  return Number(new URL(broker.addresses[0]!).port);
}

/** A stream of MQTT's bytes, ready to send CONNECT, and the client's own port below it. */
async function open(scheme: Scheme, port: number) {
  const socket = connectTcp({ host: '127.0.0.1', port, noDelay: true });
  await once(socket, 'connect');
  const clientPort = socket.localPort!;
  let carrier: Socket = socket;
  if (scheme === 'mqtts' || scheme === 'wss') {
    // Of TLS 1.3 the server may still send tickets when the client is in.
    const options = { ca: authority, servername: 'localhost', maxVersion: 'TLSv1.2' } as const;
    carrier = connectTls({ socket, ...options });
    await once(carrier, 'secureConnect');
  }
  let stream: NodeJS.ReadWriteStream = carrier;
  if (scheme === 'ws' || scheme === 'wss') {
    const webSocket = new WebSocket(`ws://localhost:${port}/mqtt`, 'mqtt', {
      createConnection: () => carrier,
    });
    await once(webSocket, 'open');
    stream = createWebSocketStream(webSocket);
  }
  onTestFinished(() => {
    stream.removeAllListeners('error');
    stream.on('error', () => {});
    socket.destroy();
  });
  const bytes: number[] = [];
  let told = (): void => {};
  stream.on('data', (chunk: Uint8Array) => {
    bytes.push(...chunk);
    told();
  });
  const until = async (count: number): Promise<void> => {
    while (bytes.length < count) await new Promise<void>((resolve) => (told = resolve));
  };
  return { stream, clientPort, bytes, until };
}

function connectPacket(clientId: string, keepalive = 0): Buffer {
  return generate({
    cmd: 'connect',
    protocolId: 'MQTT',
    protocolVersion: 4,
    clean: true,
    keepalive,
    clientId,
  });
}

describe.each(DOORS)('%s %s', (scheme, _, onSockets) => {
  test('CONNACK is one segment of its own, sent without delay', async () => {
    const port = portOf(await start(scheme, onSockets));
    const { stream, clientPort, bytes, until } = await open(scheme, port);
    const before = systemSocket(port, clientPort);
    expect(before.noDelay).toBe(true);
    stream.write(connectPacket('first'));
    await until(CONNACK.length);
    expect(bytes).toEqual(CONNACK);
    const after = systemSocket(port, clientPort);
    expect(after.dataSegmentsSent - before.dataSegmentsSent).toBe(1);
  });

  test.each([
    [0, 7200],
    [60, 0],
  ])('a client of Keep Alive %d is asked after %d s of silence', async (keepAlive, seconds) => {
    const port = portOf(await start(scheme, onSockets));
    const { stream, clientPort, until } = await open(scheme, port);
    // A sleeping radio must not be woken for nothing.
    expect(systemSocket(port, clientPort).probeSeconds).toBe(0);
    stream.write(connectPacket('probed', keepAlive));
    await until(CONNACK.length);
    expect(systemSocket(port, clientPort).probeSeconds).toBe(seconds);
  });

  test('nothing comes before CONNACK, whatever else came with CONNECT', async () => {
    const broker = await start(scheme, onSockets);
    const { stream, bytes, until } = await open(scheme, portOf(broker));
    const subscribe = generate({
      cmd: 'subscribe',
      messageId: 9,
      subscriptions: [{ topic: 'kept', qos: 0 }],
    });
    const message = { topic: 'kept', payload: 'last', qos: 0, dup: false, retain: true } as const;
    const publish = generate({ cmd: 'publish', ...message });
    const ping = generate({ cmd: 'pingreq' });
    expect(bytes).toEqual([]);
    stream.write(Buffer.concat([connectPacket('eager'), publish, ping, subscribe]));
    const rest = [0xd0, 0, 0x90, 3, 0, 9, 0, 0x31, 10, 0, 4, ...Buffer.from('keptlast')];
    await until(CONNACK.length + rest.length);
    expect(bytes).toEqual([...CONNACK, ...rest]);
  });

  test('as many connections may wait as the system allows, 4096 at most', async () => {
    const listen = vi.spyOn(Server.prototype, 'listen');
    const port = portOf(await start(scheme, onSockets));
    expect(LISTEN_BACKLOG).toBe(4096);
    expect(listen.mock.calls.map(([options]) => options)).toEqual([
      expect.objectContaining({ backlog: LISTEN_BACKLOG }),
    ]);
    const backlog = listenBacklog(port);
    if (backlog === undefined) return;
    const systemMax = Number(readFileSync('/proc/sys/net/core/somaxconn', 'utf8'));
    expect(backlog).toBe(Math.min(LISTEN_BACKLOG, systemMax));
  });
});
