import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { ListenError } from '../../src/transport/listener.js';
import { listenTcp } from '../../src/transport/tcp-listener.js';
import { ChildProgram } from '../support/child-program.js';
import { RecordingBroker } from './recorder.js';

function options(host: string, port: number, plainSockets = false) {
  const address = { scheme: 'mqtt' as const, host, port, path: '' };
  return { address, onFault: () => {}, plainSockets };
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

const KINDS = [
  ['the system’s stream', false],
  ['a socket', true],
] as const;

describe.each(KINDS)('on %s', (_, plainSockets) => {
  test('connections that come before the start wait, with their bytes', async () => {
    const listener = await listenTcp(options('127.0.0.1', 0, plainSockets));
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
    const listener = await listenTcp(options('127.0.0.1', 0, plainSockets));
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

  test('connections that wait are counted, and ended where there is no start', async () => {
    const listener = await listenTcp(options('127.0.0.1', 0, plainSockets));
    const client = connect(portOf(listener.url), '127.0.0.1');
    client.on('error', () => {});
    await once(client, 'connect');
    while (listener.connections === 0) await new Promise(setImmediate);
    const closed = once(client, 'close');
    listener.destroyConnections();
    await closed;
    await listener.stopAccepting();
    expect(listener.connections).toBe(0);
  });

  test('the system probes a silent client where that is asked for', async () => {
    const listener = await listenTcp(options('127.0.0.1', 0, plainSockets));
    const broker = new RecordingBroker();
    listener.start(broker.accept);
    const client = connect(portOf(listener.url), '127.0.0.1');
    await once(client, 'connect');
    const { network } = await broker.next();
    const timer = () => timerOf(portOf(listener.url), client.localPort!);
    expect(timer()).toBe(NO_TIMER);
    network.probeWhenSilent!();
    expect(timer()).toBe(KEEP_ALIVE_TIMER);
    client.destroy();
    await listener.stopAccepting();
    listener.destroyConnections();
  });
});

function socketFile(): string {
  const folder = mkdtempSync(join(tmpdir(), 'dunlin-socket-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return join(folder, 'mqtt.sock');
}

function fileOptions(file: string, socketMode?: number, plainSockets = false) {
  const address = { scheme: 'mqtt' as const, host: '', port: 0, path: '', socketFile: file };
  return { address, onFault: () => {}, socketMode, plainSockets };
}

test.each(KINDS)('a socket file has its mode, serves, and is gone: %s', async (_, plain) => {
  const file = socketFile();
  const listener = await listenTcp(fileOptions(file, 0o620, plain));
  expect(listener.url).toBe(`unix:${file}`);
  expect(statSync(file).mode & 0o777).toBe(0o620);
  const broker = new RecordingBroker();
  listener.start(broker.accept);
  const client = connect(file);
  client.write(Uint8Array.of(1, 2));
  const server = await broker.next();
  await server.until(() => server.received.length === 2);
  const { url } = listener;
  expect(server.network.peer).toMatchObject({ address: 'local', host: 'local', listener: url });
  client.destroy();
  await listener.stopAccepting();
  expect(existsSync(file)).toBe(false);
});

test('a socket file is taken over only from nobody', async () => {
  const file = socketFile();
  const first = await listenTcp(fileOptions(file));
  await expect(listenTcp(fileOptions(file))).rejects.toThrow(
    `another program listens on the socket ${file}`,
  );
  await first.stopAccepting();
  // A program that is killed leaves its file behind.
  const program = `require('net').createServer().listen('${file}', () => console.log('listens'))`;
  const killed = new ChildProgram(process.execPath, ['-e', program]);
  await killed.takeUntil('listens');
  killed.kill();
  await killed.exited;
  expect(existsSync(file)).toBe(true);
  const second = await listenTcp(fileOptions(file));
  await second.stopAccepting();
  writeFileSync(file, 'precious');
  await expect(listenTcp(fileOptions(file))).rejects.toThrow('is no socket');
  expect(existsSync(file)).toBe(true);
  await expect(listenTcp(fileOptions(join(dirname(file), 'x', 'y')))).rejects.toThrow(
    'does not exist',
  );
  await expect(listenTcp(fileOptions(`/tmp/${'x'.repeat(103)}`))).rejects.toThrow('too long');
});

test('what systemd has not given cannot be served', async () => {
  const address = { scheme: 'mqtt' as const, host: '', port: 0, path: '', systemdName: 'mqtt' };
  const options = { address, onFault: () => {} };
  await expect(listenTcp(options)).rejects.toThrow('systemd has given no sockets');
  const inherited = new Map([['web', 3]]);
  await expect(listenTcp({ ...options, inherited })).rejects.toThrow('only web');
});

test.each(KINDS)('more connections than it takes are ended at once: %s', async (_, plain) => {
  const listener = await listenTcp({ ...options('127.0.0.1', 0, plain), connectionsMax: 1 });
  const broker = new RecordingBroker();
  listener.start(broker.accept);
  const first = connect(portOf(listener.url), '127.0.0.1');
  await broker.next();
  const second = connect(portOf(listener.url), '127.0.0.1');
  await once(second, 'close');
  expect(listener.connections).toBe(1);
  first.destroy();
  await listener.stopAccepting();
});

/** In `/proc/net/tcp`: a probe is what the connection waits for, or nothing. */
const KEEP_ALIVE_TIMER = '02';
const NO_TIMER = '00';

/** The kind of timer that runs for one connection. */
function timerOf(localPort: number, remotePort: number): string | undefined {
  const lines = readFileSync('/proc/net/tcp', 'ascii').split('\n');
  const hex = (port: number) => `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const fields = lines
    .map((line) => line.trim().split(/\s+/))
    .find((each) => each[1]?.endsWith(hex(localPort)) && each[2]?.endsWith(hex(remotePort)));
  return fields?.[5]?.split(':')[0];
}
