import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectAsync, type IClientOptions } from 'mqtt';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { silentLogger } from '../../src/base/log.js';
import type { ClientView } from '../../src/index.js';
import { createAuthority, issueCertificate } from '../../src/server/certificates/authority.js';
import { compose, type RunningBroker } from '../../src/server/compose.js';
import { parseConfig } from '../../src/server/config.js';

let folder: string;
const pems: Record<string, string> = {};
const PSK = '00112233445566778899aabbccddeeff';

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'dunlin-doors-'));
  const nowMs = Date.now();
  const authority = await createAuthority({ commonName: 'house', days: 10, nowMs });
  const own = { names: ['localhost'], usage: 'server', days: 5, nowMs } as const;
  const server = await issueCertificate(authority, { commonName: 'localhost', ...own });
  const pump = await issueCertificate(authority, {
    commonName: 'pump',
    names: [],
    usage: 'client',
    days: 5,
    nowMs,
  });
  Object.assign(pems, {
    ca: authority.certificate,
    server: server.certificate,
    serverKey: server.privateKey,
    pump: pump.certificate,
    pumpKey: pump.privateKey,
    psk: `meter:${PSK}\n`,
  });
  for (const [name, text] of Object.entries(pems)) writeFileSync(join(folder, name), text);
  return () => rmSync(folder, { recursive: true });
});

async function start(tls: object): Promise<{ broker: RunningBroker; views: ClientView[] }> {
  const at = (name: string): string => join(folder, name);
  const config = parseConfig({
    inMemory: true,
    listen: [
      {
        url: 'mqtts://127.0.0.1:0',
        tls: { certificate: at('server'), key: at('serverKey'), ...tls },
      },
    ],
  });
  if (!('listen' in config)) throw new Error(JSON.stringify(config));
  const broker = await compose(config, silentLogger);
  onTestFinished(() => broker.close());
  const views: ClientView[] = [];
  broker.hooks.connected.add((view) => views.push(view));
  return { broker, views };
}

function connect(broker: RunningBroker, options: IClientOptions) {
  const port = Number(/\d+$/.exec(broker.addresses[0]!)![0]);
  return connectAsync({
    protocol: 'mqtts',
    host: 'localhost',
    port,
    family: 4,
    protocolVersion: 5,
    reconnectPeriod: 0,
    ca: pems['ca']!,
    ...options,
  } as IClientOptions);
}

test('a certificate is who the client is; without one there is nobody', async () => {
  const { broker, views } = await start({
    ca: join(folder, 'ca'),
    clientCertificate: 'optional',
    userNameFrom: 'cn',
  });
  const own = { cert: pems['pump']!, key: pems['pumpKey']! };
  const client = await connect(broker, { ...own, username: 'admin' });
  expect(views).toMatchObject([
    {
      userName: 'pump',
      identity: { method: 'certificate', claims: { subject: 'CN=pump' } },
    },
  ]);
  await client.endAsync();
  await expect(connect(broker, {})).rejects.toMatchObject({ code: 0x87 });
  await expect(connect(broker, { username: 'pump' })).rejects.toMatchObject({ code: 0x86 });
});

test('a pre-shared key is who the client is', async () => {
  const { broker, views } = await start({ pskFile: join(folder, 'psk'), versions: ['1.2'] });
  const client = await connect(broker, {
    ciphers: 'PSK',
    maxVersion: 'TLSv1.2',
    pskCallback: () => ({ psk: Buffer.from(PSK, 'hex'), identity: 'meter' }),
    checkServerIdentity: () => undefined,
  } as IClientOptions);
  expect(views).toMatchObject([{ userName: 'meter', identity: { method: 'psk' } }]);
  await client.endAsync();
  await expect(connect(broker, {})).rejects.toMatchObject({ code: 0x87 });
});
