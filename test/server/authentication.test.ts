import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { connect as connectSocket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectAsync, type IClientOptions, MqttClient } from 'mqtt';
import { beforeAll, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import {
  type BrokerOptions,
  type ClientView,
  createBroker,
  hashPassword,
  type RunningBroker,
  StartError,
} from '../../src/index.js';
import { type LogLine, recordingLogger } from '../broker/recording-logger.js';

let kitchen: string;
let cellar: string;
let folder: string;
let file: string;

beforeAll(async () => {
  [kitchen, cellar] = await Promise.all([hashPassword('right', 4), hashPassword('deep', 4)]);
});

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'dunlin-users-'));
  file = join(folder, 'passwords');
  onTestFinished(() => rmSync(folder, { recursive: true }));
});

async function start(options: BrokerOptions): Promise<RunningBroker> {
  const broker = await createBroker({ listen: ['mqtt://127.0.0.1:0'], ...options });
  onTestFinished(() => broker.close());
  return broker;
}

async function connect(
  broker: RunningBroker,
  options: IClientOptions,
  at = 0,
): Promise<MqttClient> {
  const settings = { protocolVersion: 5, reconnectPeriod: 0, ...options } as const;
  const client = await connectAsync(broker.addresses[at]!, settings);
  onTestFinished(() => client.endAsync(true));
  client.on('error', () => {});
  return client;
}

async function codeOf(broker: RunningBroker, options: IClientOptions, at = 0): Promise<unknown> {
  const error = await connect(broker, options, at).then(
    () => undefined,
    (refused: unknown) => refused,
  );
  return error === undefined ? 0 : (error as { code: unknown }).code;
}

test('users of file and configuration come in by their passwords, nobody else does', async () => {
  writeFileSync(file, `kitchen:${kitchen}:home\n`);
  const log: LogLine[] = [];
  const broker = await start({
    log: recordingLogger(log),
    authentication: {
      passwordFile: file,
      users: [{ name: 'cellar', passwordHash: cellar, groups: ['deep'] }],
    },
  });
  const views: ClientView[] = [];
  broker.hooks.connected.add((view) => views.push(view));
  await connect(broker, { username: 'kitchen', password: 'right' });
  await connect(broker, { username: 'cellar', password: 'deep' });
  expect(views).toMatchObject([
    { userName: 'kitchen', identity: { groups: ['home'], method: 'password_file' } },
    { userName: 'cellar', identity: { groups: ['deep'] } },
  ]);
  expect(log).toMatchObject([
    { event: 'connected', user: 'kitchen', method: 'password_file' },
    { event: 'connected', user: 'cellar' },
  ]);
  expect(await codeOf(broker, { username: 'kitchen', password: 'deep' })).toBe(0x86);
  expect(await codeOf(broker, { username: 'nobody', password: 'deep' })).toBe(0x86);
  expect(await codeOf(broker, {})).toBe(0x87);
  const old = { protocolVersion: 4 } as const;
  expect(await codeOf(broker, { ...old, username: 'kitchen', password: 'x' })).toBe(4);
  expect(await codeOf(broker, { ...old })).toBe(5);
  expect(broker.statistics.credentialsRefused).toBe(5);
});

test('a Unix socket is a door like others: a name without its password does not open it', async () => {
  writeFileSync(file, `kitchen:${kitchen}\n`);
  const path = join(folder, 'mqtt.sock');
  const broker = await start({
    listen: [{ url: `unix:${path}` }],
    authentication: { passwordFile: file },
  });
  const codes = [];
  for (const shown of [
    { username: 'kitchen' },
    {},
    { username: 'kitchen', password: 'x' },
    { username: 'kitchen', password: 'right' },
  ]) {
    const settings = { protocolVersion: 5, reconnectPeriod: 0, ...shown } as const;
    const client = new MqttClient(() => connectSocket(path), settings);
    onTestFinished(() => client.endAsync(true));
    codes.push(
      await new Promise((resolve) => {
        client.on('connect', () => resolve(0));
        client.on('error', (refused) => resolve((refused as unknown as { code: number }).code));
      }),
    );
  }
  expect(codes).toEqual([0x86, 0x87, 0x86, 0]);
  expect(broker.statistics.credentialsRefused).toBe(3);
});

test('each listener has its own door', async () => {
  writeFileSync(file, `kitchen:${kitchen}\n`);
  const url = 'mqtt://127.0.0.1:0';
  const broker = await start({
    authentication: { passwordFile: file },
    listen: [url, { url, allowAnonymous: true }, { url, authentication: ['scram'] }],
  });
  const right = { username: 'kitchen', password: 'right' };
  expect(await codeOf(broker, {}, 0)).toBe(0x87);
  expect(await codeOf(broker, {}, 1)).toBe(0);
  expect(await codeOf(broker, { username: 'kitchen', password: 'x' }, 1)).toBe(0x86);
  expect(await codeOf(broker, right, 1)).toBe(0);
  expect(await codeOf(broker, right, 2)).toBe(0x86);
});

test('an address beyond this machine needs passwords or a word about it', async () => {
  writeFileSync(file, `kitchen:${kitchen}\n`);
  const listen = ['mqtt://0.0.0.0:0'];
  await expect(start({ listen })).rejects.toThrow('asks for no password');
  const broker = await start({ listen, authentication: { passwordFile: file } });
  expect(broker.addresses.length).toBe(1);
});

test('what cannot be used stops the start, all of it at once', async () => {
  writeFileSync(file, 'kitchen:right\n');
  const starting = start({
    listen: [{ url: 'mqtt://127.0.0.1:0', authentication: ['jwt', 'certificate'] }],
    authentication: { passwordFile: file, users: [{ name: 'a:b', passwordHash: cellar }] },
  });
  const error = await starting.catch((fault: unknown) => fault);
  expect(error).toBeInstanceOf(StartError);
  expect((error as StartError).sentences).toEqual([
    'listen[0].authentication: jwt is not set up: put jwt under authentication',
    'listen[0].authentication: certificate is not set up: give the listener tls.user_name_from',
    expect.stringMatching(/passwords:1: this is no password hash/),
    'authentication.users[0]: a user name must not have a colon, which ends it in the file',
  ]);
  await expect(start({ authentication: { passwordFile: `${file}.no` } })).rejects.toThrow(
    'cannot be read (ENOENT',
  );
});

test('a file that changes is read again: users that are gone must go, a bad one is left', async () => {
  writeFileSync(file, `kitchen:${kitchen}\ncellar:${cellar}\n`);
  const log: LogLine[] = [];
  const broker = await start({
    log: recordingLogger(log),
    authentication: { passwordFile: file },
  });
  const stays = await connect(broker, { username: 'cellar', password: 'deep' });
  const goes = await connect(broker, { username: 'kitchen', password: 'right' });
  const told = new Promise((resolve) => {
    goes.on('disconnect', ({ reasonCode }) => resolve(reasonCode));
  });
  const replace = (text: string): void => {
    writeFileSync(`${file}.new`, text);
    renameSync(`${file}.new`, file);
  };
  replace(`cellar:${cellar}\nattic:${kitchen}\n`);
  expect(await told).toBe(0x87);
  expect(stays.connected).toBe(true);
  expect(await codeOf(broker, { username: 'attic', password: 'right' })).toBe(0);
  replace('attic:right\n');
  await vi.waitFor(
    () => expect(log).toContainEqual(expect.objectContaining({ event: 'users_not_read' })),
    { timeout: 90_000 },
  );
  expect(await codeOf(broker, { username: 'cellar', password: 'deep' })).toBe(0);
});

test('a reload may set up what was not there, and take it away again', async () => {
  const broker = await start({});
  expect(await codeOf(broker, {})).toBe(0);
  const users = [{ name: 'kitchen', passwordHash: kitchen }];
  const listen = ['mqtt://127.0.0.1:0'];
  await broker.reload({ listen, authentication: { users } });
  expect(await codeOf(broker, {})).toBe(0x87);
  expect(await codeOf(broker, { username: 'kitchen', password: 'right' })).toBe(0);
  const bad = [{ name: 'kitchen', passwordHash: 'right' }];
  await expect(broker.reload({ listen, authentication: { users: bad } })).rejects.toThrow('hash');
  expect(await codeOf(broker, { username: 'kitchen', password: 'right' })).toBe(0);
  await broker.reload({ listen });
  expect(await codeOf(broker, {})).toBe(0);
});

test('the program around the broker comes in by itself, and its hooks still refuse', async () => {
  const users = [{ name: 'kitchen', passwordHash: kitchen }];
  const broker = await start({ authentication: { users } });
  const client = await broker.client({ userName: 'logger' });
  await client.close();
  broker.hooks.authenticate.add(({ userName }) => (userName === 'kitchen' ? 0x8a : 0));
  expect(await codeOf(broker, { username: 'kitchen', password: 'right' })).toBe(0x8a);
});
