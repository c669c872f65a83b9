import { Agent, type ClientRequest, type IncomingMessage, request } from 'node:http';
import { connectAsync } from 'mqtt';
import { expect, onTestFinished, test } from 'vitest';
import {
  type BrokerOptions,
  createBroker,
  hashPassword,
  ReasonCode,
  type RunningBroker,
  StartError,
} from '../../src/index.js';

const LISTEN = [{ url: 'ws://127.0.0.1:0', statusPage: true }];

async function start(options: BrokerOptions): Promise<RunningBroker> {
  const broker = await createBroker({ listen: LISTEN, ...options });
  onTestFinished(() => broker.close());
  return broker;
}

interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

function ask(
  broker: RunningBroker,
  path: string,
  headers: Record<string, string> = {},
  method = 'GET',
  agent: Agent | false = false,
): Promise<Answer> {
  const { port } = new URL(broker.addresses.at(-1)!);
  return new Promise((resolve, reject) => {
    const asked: ClientRequest = request(
      { host: '127.0.0.1', port, path, headers, method, agent },
      (response) => {
        let body = '';
        response.on('data', (part) => {
          body += String(part);
        });
        const { statusCode: status } = response;
        response.on('end', () => resolve({ status, headers: response.headers, body }));
      },
    );
    asked.on('error', reject);
    asked.end();
  });
}

function as(user: string, password: string): Record<string, string> {
  const credentials = Buffer.from(`${user}:${password}`).toString('base64');
  return { authorization: `Basic ${credentials}` };
}

test('tells how the broker does, clients as text, and nothing may be loaded or run', async () => {
  const broker = await start({});
  const clientId = '<img src=x onerror=alert(1)>';
  const client = await connectAsync(broker.addresses[0]!, { clientId });
  onTestFinished(() => void client.end(true));
  await client.publishAsync('a', 'b', { qos: 1, retain: true });
  const page = await ask(broker, '/status');
  expect(page.status).toBe(200);
  expect(page.body).toContain('&lt;img src=x onerror=alert(1)&gt;');
  expect(page.body).not.toContain('<img');
  expect(page.body).toContain(broker.addresses[0]);
  expect(page.body).toMatch(/retained messages<\/td><td class="n">1</);
  expect(page.headers).toMatchObject({
    'cache-control': 'no-store',
    'content-security-policy': expect.stringMatching(
      /^default-src 'none'; style-src 'sha256-.*frame-ancestors 'none'$/,
    ),
    'x-content-type-options': 'nosniff',
  });
  const told = JSON.parse((await ask(broker, '/status.json')).body) as Record<string, unknown>;
  expect(told).toMatchObject({
    connections: 1,
    sessions: 1,
    storeWorks: true,
    clients: [{ clientIdentifier: clientId, isConnected: true, score: 100 }],
    statistics: { publishReceived: 1 },
  });
  expect((await ask(broker, '/status', {}, 'POST')).status).toBe(405);
});

test('is for users that the rules let look', async () => {
  const passwordHash = await hashPassword('right', 4);
  const names = ['operator', 'lamp', 'nobody'];
  const broker = await start({
    authentication: {
      users: names.map((name) => ({ name, passwordHash })),
      guessing: { delaySecondsMax: 1 },
    },
    authorization: {
      rules: ['allow subscribe $SYS/# user=operator', 'allow all lamp/# user=lamp'],
    },
  });
  const none = await ask(broker, '/status');
  expect(none.status).toBe(401);
  expect(none.headers['www-authenticate']).toMatch(/^Basic /);
  expect(none.body).not.toContain('Node.js');
  expect((await ask(broker, '/status', as('operator', 'wrong'))).status).toBe(401);
  expect((await ask(broker, '/status', as('lamp', 'right'))).status).toBe(401);
  expect((await ask(broker, '/status', { authorization: 'Basic !' })).status).toBe(401);
  expect((await ask(broker, '/status', as('operator', 'right'))).status).toBe(200);
  expect((await ask(broker, '/status.json', as('operator', 'right'))).status).toBe(200);
});

test('is not there unless it is asked for, nor on another listener', async () => {
  const broker = await start({ listen: [...LISTEN, 'ws://127.0.0.1:0'] });
  expect((await ask(broker, '/status')).status).toBe(404);
});

test('no name of somewhere else leads to a page that is for this machine', async () => {
  const broker = await start({});
  const { status } = await ask(broker, '/status', { host: 'rebound.example:8080' });
  expect(status).toBe(421);
  expect((await ask(broker, '/status', { host: 'localhost:8080' })).status).toBe(200);
  expect((await ask(broker, '/status', { host: '[::1]:8080' })).status).toBe(200);
});

test('passwords do not cross the network for it in clear text', async () => {
  const listen = [{ url: 'ws://0.0.0.0:0', statusPage: true }];
  const started = createBroker({ listen, allowAnonymous: true });
  await expect(started).rejects.toThrow(StartError);
  await expect(started).rejects.toThrow('clear text');
  const onTcp = createBroker({ listen: [{ url: 'mqtt://127.0.0.1:0', statusPage: true }] });
  await expect(onTcp).rejects.toThrow('ws and wss alone');
});

test('whoever looks again and again on one connection leaves nothing behind', async () => {
  const broker = await start({});
  let stopped = 0;
  broker.hooks.authenticate.add((_client, { whenGone }) => {
    whenGone(() => stopped++);
    return ReasonCode.Success;
  });
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  onTestFinished(() => agent.destroy());
  const warnings: string[] = [];
  const warned = ({ name }: Error): void => void warnings.push(name);
  process.on('warning', warned);
  onTestFinished(() => void process.off('warning', warned));
  for (let i = 0; i < 20; i++) {
    expect((await ask(broker, '/status.json', {}, 'GET', agent)).status).toBe(200);
  }
  await expect.poll(() => stopped, { timeout: 60_000 }).toBe(20);
  expect(warnings).toEqual([]);
});
