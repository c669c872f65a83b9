import { connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runOfflineBacklog } from '../../bench/cases/offline-backlog.js';
import { runRetainedFlood } from '../../bench/cases/retained-flood.js';
import type { Target } from '../../bench/load/result.js';
import { plainShape, type Shape } from '../../bench/load/shape.js';
import { runTraffic } from '../../bench/load/traffic.js';
import { startBroker } from '../support/broker-process.js';
import type { BrokerProcess } from '../support/supervised-process.js';

const second = { seconds: 1, warmUpSeconds: 0 };
const DELIVERED_MIN = 500;

/** However long that takes. */
async function untilSomeCame(delivered: () => number): Promise<void> {
  while (delivered() < DELIVERED_MIN) await delay(20);
}
const small: Shape = { ...plainShape, pairs: 5, window: 10 };

let broker: BrokerProcess;
let target: Target;

beforeAll(async () => {
  broker = await startBroker();
  const { port, webSocketPort, pid } = broker;
  target = { host: '127.0.0.1', port, webSocketPort, pid };
});
afterAll(() => broker.stop());

const shapes: readonly (readonly [string, Partial<Shape>])[] = [
  ['pairs', {}],
  ['fan-out', { pairs: 1, fanOut: 10 }],
  ['fan-in with QoS 1', { pairs: 1, fanIn: 10, qos: 1 }],
  ['QoS 2 over 5.0', { qos: 2, version: 5, properties: true }],
  ['Topic Aliases over WebSocket', { version: 5, topicAlias: true, transport: 'websocket' }],
  ['an open loop', { rate: 1000, qos: 1 }],
  ['many subscriptions with churn', { subscriptions: 500, wildcards: true, churn: 1000 }],
];

test.each(shapes)('%s: not a message is missing', async (_name, own) => {
  const result = await runTraffic({ ...small, ...own }, target, second, untilSomeCame);
  expect(result).toMatchObject({ failure: undefined, missing: 0, unexpected: 0 });
  expect(result.delivered).toBeGreaterThanOrEqual(DELIVERED_MIN);
});

test('a backlog is stored, drained and counted', async () => {
  const options = { sessions: 3, payloadBytes: 16, window: 10, measured: 'drain' } as const;
  const result = await runOfflineBacklog(options, target, second);
  expect(result).toMatchObject({ failure: undefined, missing: 0, unexpected: 0 });
  expect(result.delivered).toBe(result.published);
});

test('every retained message comes once', async () => {
  const result = await runRetainedFlood(500, target, second);
  expect(result.failure).toBeUndefined();
  expect(result.missing).toBe(0);
});

/** Sits between the generator and the broker and changes what the broker says, once. */
async function tampering(tamper: (chunk: Buffer) => Buffer | undefined): Promise<Server> {
  const server = createServer((client) => {
    const upstream: Socket = connect(target.port, '127.0.0.1');
    client.on('data', (chunk) => upstream.write(chunk));
    upstream.on('data', (chunk: Buffer) => client.write(tamper(chunk) ?? chunk));
    for (const socket of [client, upstream]) {
      socket.on('error', () => {});
      socket.on('close', () => {
        client.destroy();
        upstream.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

test('a delivery that comes twice fails the case', async () => {
  let isDone = false;
  const server = await tampering((chunk) => {
    // A whole PUBLISH and nothing else.
    if (isDone || chunk[0] !== 0x30 || chunk.length !== chunk[1]! + 2) return undefined;
    isDone = true;
    return Buffer.concat([chunk, chunk]);
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const shape = { ...small, pairs: 1, window: 1 };
  const result = await runTraffic(shape, { ...target, port }, second);
  server.close();
  expect(isDone).toBe(true);
  expect(result.failure).toBeDefined();
});
