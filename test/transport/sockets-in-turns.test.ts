import { connect as connectSocket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import type { Listener, ListenOptions, Stage } from '../../src/transport/listener.js';

import { listenTcp } from '../../src/transport/tcp-listener.js';
import { openTls } from '../../src/transport/tls-stage.js';
import { listenWebSocket } from '../../src/transport/websocket-listener.js';
import { CertificateFolder } from '../support/certificates.js';
import { plainTls } from './tls-fixture.js';

const CLIENTS = 4;
const BYTES = 3_000_000;
/** What Node.js hands over of one read of the system, and of one record of TLS. */
const CHUNK_BYTES_MAX = 65_536;
/** Of what takes no time at all. */
const TURN_BYTES_MAX = 256 * 1024;
const PATIENCE_MS = 120_000;

const WEB = { ready: () => true, messageBytesMax: BYTES, origins: undefined };

type Kind = 'sockets' | 'TLS' | 'WebSocket';

/** A listener whose connections are sockets, and what puts bytes on a connection to it. */
async function open(kind: Kind): Promise<{ listener: Listener; send: (bytes: Buffer) => void }> {
  const stages: Stage[] = [];
  if (kind === 'TLS') {
    const files = await CertificateFolder.create();
    onTestFinished(() => files.remove());
    const pair = await files.issue('server');
    const events = { refused: () => {}, reloaded: () => {}, failed: () => {} };
    const tls = { ...plainTls, certificate: pair.certificate, key: pair.key };
    const door = await openTls({ tls, events });
    onTestFinished(() => door.close());
    stages.push(door.stage);
  }
  const scheme = kind === 'WebSocket' ? 'ws' : 'mqtt';
  const address = { scheme, host: '127.0.0.1', port: 0, path: '/mqtt' } as const;
  const options: ListenOptions = { address, onFault: () => {}, plainSockets: true, stages };
  const listener =
    kind === 'WebSocket' ? await listenWebSocket({ ...options, ...WEB }) : await listenTcp(options);
  const port = Number(new URL(listener.url).port);
  return { listener, send: (bytes) => sendOver(kind, port, bytes) };
}

function sendOver(kind: Kind, port: number, bytes: Buffer): void {
  const host = '127.0.0.1';
  if (kind === 'WebSocket') {
    const client = new WebSocket(`ws://${host}:${port}/mqtt`, 'mqtt');
    client.on('error', () => {});
    client.on('open', () => {
      for (let at = 0; at < bytes.length; at += 100) client.send(bytes.subarray(at, at + 100));
    });
    onTestFinished(() => client.terminate());
    return;
  }
  const client =
    kind === 'TLS'
      ? connectTls({ host, port, rejectUnauthorized: false })
      : connectSocket({ host, port });
  client.on('error', () => {});
  client.write(bytes);
  onTestFinished(() => void client.destroy());
}

test.each<Kind>(['sockets', 'TLS', 'WebSocket'])(
  'who sends without end over %s is read a little at a time, and all of it',
  async (kind) => {
    const { listener, send } = await open(kind);
    const inThisTurn: number[] = [];
    const received: number[] = [];
    let most = 0;
    const all = new Promise<void>((resolve) => {
      listener.start((network) => {
        const i = received.push(0) - 1;
        inThisTurn.push(0);
        network.admitted?.();
        // What comes meanwhile lies ready in the system.
        network.pauseReading();
        setTimeout(() => network.resumeReading(), 100);
        return {
          receive: (chunk) => {
            if (inThisTurn.every((bytes) => bytes === 0)) setImmediate(() => inThisTurn.fill(0));
            inThisTurn[i]! += chunk.length;
            received[i]! += chunk.length;
            most = Math.max(most, inThisTurn[i]!);
            if (received.length === CLIENTS && received.every((bytes) => bytes >= BYTES)) resolve();
          },
          drained: () => {},
          networkClosed: () => {},
        };
      });
    });
    for (let i = 0; i < CLIENTS; i++) send(Buffer.alloc(BYTES, i));
    await all;
    expect(received).toEqual(Array(CLIENTS).fill(BYTES));
    expect(most).toBeLessThanOrEqual(TURN_BYTES_MAX + CHUNK_BYTES_MAX);
    listener.destroyConnections();
    await listener.stopAccepting();
  },
  PATIENCE_MS,
);
