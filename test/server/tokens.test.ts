import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SignJWT } from 'jose';
import { connectAsync } from 'mqtt';
import { beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import { type ClientView, createBroker, type RunningBroker } from '../../src/index.js';
import { PacketClient } from '../support/packet-client.js';

const { publicKey, privateKey } = generateKeyPairSync('ed25519');
let keyFile: string;
let views: ClientView[];

beforeAll(() => {
  const folder = mkdtempSync(join(tmpdir(), 'dunlin-tokens-'));
  keyFile = join(folder, 'issuer.pem');
  writeFileSync(keyFile, publicKey.export({ type: 'spki', format: 'pem' }));
  return () => rmSync(folder, { recursive: true });
});

beforeEach(() => {
  views = [];
});

function tokenOf(userName: string, seconds = 3600, more: Record<string, unknown> = {}) {
  return new SignJWT({ sub: userName, ...more })
    .setProtectedHeader({ alg: 'EdDSA' })
    .setExpirationTime(Math.floor(Date.now() / 1000) + seconds)
    .sign(privateKey);
}

async function start(clockToleranceSeconds = 5): Promise<RunningBroker> {
  const jwt = {
    algorithms: ['EdDSA'],
    publicKey: keyFile,
    cookie: 'dunlin',
    clockToleranceSeconds,
  } as const;
  const origins = ['https://home.example'];
  const broker = await createBroker({
    listen: ['mqtt://127.0.0.1:0', { url: 'ws://127.0.0.1:0/mqtt', origins }],
    authentication: { jwt },
  });
  onTestFinished(() => broker.close());
  broker.hooks.connected.add((view) => views.push(view));
  return broker;
}

test('as the password of an MQTT.js client, with what it allows', async () => {
  const broker = await start();
  const password = await tokenOf('kitchen', 3600, { publ: ['%u/#'], groups: 'home lights' });
  const client = await connectAsync(broker.addresses[0]!, { username: 'any', password });
  expect(views).toMatchObject([
    {
      userName: 'kitchen',
      identity: {
        groups: ['home', 'lights'],
        permissions: [{ effect: 'allow', action: 'publish', topicFilter: '%u/#' }],
      },
    },
  ]);
  await client.endAsync();
});

test.each([
  ['the header Authorization', async () => ({ Authorization: `Bearer ${await tokenOf('page')}` })],
  ['a cookie', async () => ({ Cookie: `a=b; dunlin=${await tokenOf('page')}` })],
])('over WebSocket in %s', async (_, headersOf) => {
  const broker = await start();
  const headers = await headersOf();
  const client = await connectAsync(broker.addresses[1]!, { wsOptions: { headers } });
  expect(views).toMatchObject([{ userName: 'page' }]);
  await client.endAsync();
});

test('over WebSocket in the subprotocol, as browsers can', async () => {
  const broker = await start();
  const protocols = ['mqtt', `bearer.${await tokenOf('page')}`];
  const client = await connectAsync(broker.addresses[1]!, {
    createWebsocket: (url) => new WebSocket(url, protocols) as never,
  });
  expect(views).toMatchObject([{ userName: 'page' }]);
  await client.endAsync();
});

function connectPacket(name: string, token: string) {
  return {
    cmd: 'connect',
    protocolId: 'MQTT',
    protocolVersion: 5,
    clean: true,
    keepalive: 0,
    clientId: 'c',
    properties: { authenticationMethod: name, authenticationData: Buffer.from(token) },
  } as const;
}

function packetClient(broker: RunningBroker): PacketClient {
  const client = new PacketClient(Number(new URL(broker.addresses[0]!).port), 5);
  onTestFinished(() => client.destroy());
  return client;
}

test.each(['JWT', 'OAUTH2-JWT', 'K8S-SAT'])('%s renews a token in place', async (name) => {
  const broker = await start();
  const client = packetClient(broker);
  client.send(connectPacket(name, await tokenOf('kitchen', 60)));
  expect(await client.take('connack')).toMatchObject({ reasonCode: 0 });
  const renew = async (user: string): Promise<void> => {
    const { properties } = connectPacket(name, await tokenOf(user, 7200));
    client.send({ cmd: 'auth', reasonCode: 0x19, properties });
  };
  await renew('kitchen');
  expect(await client.take('auth')).toMatchObject({ properties: { authenticationMethod: name } });
  client.send({ cmd: 'pingreq' });
  await client.take('pingresp');
  await renew('somebody');
  expect(await client.take('disconnect')).toMatchObject({ reasonCode: 0x87 });
});

test('a wrong one in AUTH is refused, and a renewal with a wrong one ends the connection', async () => {
  const broker = await start();
  const wrong = packetClient(broker);
  wrong.send(connectPacket('JWT', `${await tokenOf('kitchen')}x`));
  expect(await wrong.take('connack')).toMatchObject({ reasonCode: 0x87 });
  const client = packetClient(broker);
  client.send(connectPacket('JWT', await tokenOf('kitchen')));
  await client.take('connack');
  const { properties } = connectPacket('JWT', await tokenOf('kitchen', -60));
  client.send({ cmd: 'auth', reasonCode: 0x19, properties });
  expect(await client.take('disconnect')).toMatchObject({
    reasonCode: 0x87,
    properties: { reasonString: 'the token has expired' },
  });
});

test('when it expires the connection ends with Maximum connect time', async () => {
  const broker = await start(0);
  // On a slow machine one has expired before it is there: the next one lives longer.
  for (let seconds = 2; ; seconds *= 2) {
    const client = packetClient(broker);
    client.send(connectPacket('JWT', await tokenOf('kitchen', seconds)));
    const { reasonCode } = await client.take('connack');
    if (reasonCode !== 0 && seconds < 60) continue;
    expect(reasonCode).toBe(0);
    expect(await client.take('disconnect')).toMatchObject({ reasonCode: 0xa0 });
    break;
  }
});

test('cookies are taken only where the pages are named that may use them', async () => {
  const jwt = { algorithms: ['EdDSA'], publicKey: keyFile, cookie: 'dunlin' } as const;
  const starting = createBroker({ listen: ['ws://127.0.0.1:0'], authentication: { jwt } });
  await expect(starting).rejects.toThrow('listen[0].origins: with jwt.cookie');
});
