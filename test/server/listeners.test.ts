import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MqttClient as Client, connectAsync, type MqttClient } from 'mqtt';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import {
  type BrokerOptions,
  createBroker,
  type RunningBroker,
  StartError,
} from '../../src/index.js';
import { checkHealth } from '../../src/server/health.js';
import { type LogLine, recordingLogger } from '../broker/recording-logger.js';
import { CertificateFolder, type PairFiles } from '../support/certificates.js';

let files: CertificateFolder;
let server: PairFiles;

beforeAll(async () => {
  files = await CertificateFolder.create();
  server = await files.issue('server');
});
afterAll(() => files.remove());

const tls = () => ({ certificate: server.certificate, key: server.key });

async function start(options: BrokerOptions): Promise<RunningBroker> {
  const broker = await createBroker(options);
  onTestFinished(() => broker.close());
  return broker;
}

async function client(url: string): Promise<MqttClient> {
  const options = { ca: files.caPem, reconnectPeriod: 0 };
  const connected = await connectAsync(url, options);
  onTestFinished(async () => {
    await connected.endAsync(true);
  });
  return connected;
}

test('clients of every kind of listener meet', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'dunlin-doors-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'mqtt.sock');
  const broker = await start({
    listen: [
      'mqtt://127.0.0.1:0',
      'ws://127.0.0.1:0',
      { url: 'mqtts://127.0.0.1:0', tls: tls() },
      { url: 'wss://127.0.0.1:0', tls: tls() },
      { url: `unix:${file}`, socketMode: '0600' },
    ],
  });
  const unix = new Client(() => connect(file), { reconnectPeriod: 0 });
  onTestFinished(async () => {
    await unix.endAsync(true);
  });
  const clients = [...(await Promise.all(broker.addresses.slice(0, 4).map(client))), unix];
  const heard = clients.map(async (one) => {
    const arrives = new Promise<string>((resolve) => {
      one.on('message', (_, payload) => resolve(payload.toString()));
    });
    await one.subscribeAsync('all');
    return arrives;
  });
  // Each has subscribed when its own SUBACK has come; the retained message reaches them all.
  await clients[2]!.publishAsync('all', 'hello', { qos: 1, retain: true });
  expect(await Promise.all(heard)).toEqual(Array(5).fill('hello'));
  const page = broker.addresses[3]!.replace('wss:', 'https:').replace('/mqtt', '/readyz');
  expect(await checkHealth(page)).toEqual({ ready: true, sentence: 'ready' });
});

test('each listener that cannot be set up is named, with what to do', async () => {
  const listen = [
    { url: 'mqtts://127.0.0.1:0' },
    { url: 'mqtts://127.0.0.1:0', tls: { ...tls(), key: '/nowhere.key' } },
    { url: 'systemd:web' },
    { url: 'unix:/nowhere/mqtt.sock' },
  ];
  const error = await createBroker({ listen, allowAnonymous: true }).catch((reason) => reason);
  expect(error).toBeInstanceOf(StartError);
  const { sentences } = error as StartError;
  expect(sentences.map((sentence) => sentence.split(' ')[0])).toEqual([
    'listen[0]',
    'listen[1]',
    'listen[2]',
    'listen[3]',
  ]);
  expect(sentences[0]).toContain('needs a certificate and its key');
  expect(sentences[1]).toContain('/nowhere.key cannot be read: there is no such file');
  expect(sentences[2]).toContain('start it by its .socket unit');
  expect(sentences[3]).toContain('the folder of the socket /nowhere/mqtt.sock does not exist');
});

test('a reload reads the files again', async () => {
  const pair = await files.issue('reloaded');
  const lines: LogLine[] = [];
  const listen = [
    { url: 'mqtts://127.0.0.1:0', tls: { certificate: pair.certificate, key: pair.key } },
  ];
  const options = { listen, log: recordingLogger(lines) };
  const broker = await start(options);
  const early = await client(broker.addresses[0]!);
  expect(await broker.reload(options)).toEqual([]);
  while (!lines.some(({ event }) => event === 'certificate_reloaded')) {
    await early.publishAsync('x', 'x', { qos: 1 });
  }
  const changed = [{ url: 'mqtts://127.0.0.1:0', tls: tls() }];
  expect(await broker.reload({ ...options, listen: changed })).toEqual([
    'tls of mqtts://127.0.0.1:0 changes when the broker is started again',
  ]);
  expect(early.connected).toBe(true);
  expect(readFileSync(pair.certificate, 'utf8')).toBe(pair.pem);
});

test('a certificate that soon expires is told of at the start', async () => {
  const old = await files.issue('aged', { days: 90, nowMs: Date.now() - 80 * 86_400_000 });
  const lines: LogLine[] = [];
  const listen = [
    { url: 'mqtts://127.0.0.1:0', tls: { certificate: old.certificate, key: old.key } },
  ];
  await start({ listen, log: recordingLogger(lines) });
  expect(lines).toMatchObject([{ event: 'certificate_expires', subject: 'CN=aged' }]);
  expect(lines[0]!.sentence).toMatch(/expires in (9|10) days, .*: renew it/);
});

test('other programs answer HTTP on the port of WebSockets, until they are removed', async () => {
  const broker = await start({ listen: ['ws://127.0.0.1:0'] });
  const url = broker.addresses[0]!.replace('ws:', 'http:').replace('/mqtt', '/admin');
  const remove = broker.addHttpHandler((_, response) => {
    response.end('admin');
    return true;
  });
  expect(await (await fetch(url)).text()).toBe('admin');
  remove();
  expect((await fetch(url)).status).toBe(404);
});
