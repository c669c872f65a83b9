import { createHash, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { SignJWT } from 'jose';
import { connectAsync, type MqttClient } from 'mqtt';
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import { stringify } from 'yaml';
import { Command } from '../server/command.js';
import { repositoryFolder } from '../support/build-if-stale.js';
import { CertificateFolder } from '../support/certificates.js';
import { Chromium, type Tab } from '../support/chromium.js';
import { Inbox } from '../support/mqtt-js.js';
import { freePort } from '../support/ports.js';
import { serveWebPage, type WebPage } from './web-page.js';

const { publicKey, privateKey } = generateKeyPairSync('ed25519');
const COOKIE = 'dunlin';
const DASHBOARD = join(repositoryFolder, 'examples/browser-dashboard/index.html');
const EXPIRES_SOON_SECONDS = 8;

let folder: string;
let certificates: CertificateFolder;
let pages: Record<'ws' | 'wss', WebPage>;
let ports: { mqtt: number; ws: number; wss: number };
let chromium: Chromium;
let broker: Command;
let tab: Tab;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'dunlin-browser-'));
  const key = join(folder, 'issuer.pem');
  writeFileSync(key, publicKey.export({ type: 'spki', format: 'pem' }));
  certificates = await CertificateFolder.create();
  const server = await certificates.issue('server');
  pages = { ws: await serveWebPage(), wss: await serveWebPage(server) };
  ports = { mqtt: await freePort(), ws: await freePort(), wss: await freePort() };
  const origins = [originOf('ws'), originOf('wss')];
  const tls = { certificate: server.certificate, key: server.key };
  const config = {
    data: join(folder, 'data'),
    listen: [
      { url: `mqtt://127.0.0.1:${ports.mqtt}`, allow_anonymous: true },
      { url: `ws://127.0.0.1:${ports.ws}/mqtt`, origins },
      { url: `wss://127.0.0.1:${ports.wss}/mqtt`, origins, tls },
    ],
    allow_anonymous: false,
    authentication: {
      jwt: { algorithms: ['EdDSA'], public_key: key, cookie: COOKIE, clock_tolerance_seconds: 0 },
    },
  };
  writeFileSync(join(folder, 'dunlin.yaml'), stringify(config));
  await startBroker();
  const { publicKey: trusted } = new X509Certificate(server.pem);
  const der = trusted.export({ type: 'spki', format: 'der' });
  chromium = await Chromium.start([createHash('sha256').update(der).digest('base64')]);
});

afterAll(async () => {
  await chromium.stop();
  await broker.kill();
  for (const { server } of Object.values(pages)) {
    server.close();
    server.closeAllConnections();
  }
  certificates.remove();
  rmSync(folder, { recursive: true });
});

beforeEach(async () => {
  tab = await chromium.tab();
});

/** A page for this kind of door: browsers send cookies only where page and door are both secure. */
async function openPage(scheme: 'ws' | 'wss'): Promise<void> {
  await tab.open(`${originOf(scheme)}/`);
  await tab.run(`document.cookie = '${COOKIE}=; max-age=0'`);
}

function originOf(scheme: 'ws' | 'wss'): string {
  return `${scheme === 'ws' ? 'http' : 'https'}://127.0.0.1:${pages[scheme].port}`;
}

async function startBroker(): Promise<void> {
  const config = join(folder, 'dunlin.yaml');
  broker = await Command.start(folder, ['--config', config, '--log-format', 'json']);
  await broker.addresses();
}

function tokenOf(userName: string, seconds = 3600): Promise<string> {
  return new SignJWT({ sub: userName })
    .setProtectedHeader({ alg: 'EdDSA' })
    .setExpirationTime(Math.floor(Date.now() / 1000) + seconds)
    .sign(privateKey);
}

function urlOf(scheme: 'ws' | 'wss'): string {
  return `${scheme}://127.0.0.1:${ports[scheme]}/mqtt`;
}

/** A program that is no browser, on the same broker. */
async function program(): Promise<{ client: MqttClient; inbox: Inbox }> {
  const options = { protocolVersion: 5, reconnectPeriod: 0 } as const;
  const client = await connectAsync(`mqtt://127.0.0.1:${ports.mqtt}`, options);
  client.on('error', () => {});
  onTestFinished(() => client.endAsync(true));
  return { client, inbox: new Inbox(client) };
}

function connect(name: string, url: string, options: object, protocols?: object): Promise<unknown> {
  const args = [name, url, options, protocols ?? null].map((value) => JSON.stringify(value));
  return tab.run(`connect(${args.join(', ')})`);
}

const doors = (['ws', 'wss'] as const).flatMap((scheme) =>
  (['the password', 'a cookie', 'the subprotocol'] as const).flatMap((place) =>
    ([4, 5] as const).map((version) => ({ scheme, place, version })),
  ),
);

test.each(doors)('$scheme, the token in $place, version $version: QoS 2 both ways', async (row) => {
  const { scheme, place, version } = row;
  await openPage(scheme);
  const token = await tokenOf('page');
  if (place === 'a cookie') await tab.run(`document.cookie = '${COOKIE}=${token}'`);
  const password = place === 'the password' ? { username: 'any', password: token } : {};
  const protocols = place === 'the subprotocol' ? ['mqtt', `bearer.${token}`] : undefined;
  const options = { protocolVersion: version, ...password };
  expect(await connect('a', urlOf(scheme), options, protocols)).toMatchObject({ reasonCode: 0 });
  await tab.run(`clients.a.client.subscribeAsync('down/+/#', { qos: 2 })`);
  const { client, inbox } = await program();
  await client.subscribeAsync('up/#', { qos: 2 });
  await client.publishAsync('down/here/now', 'hello', { qos: 2 });
  expect(await tab.run(`messages('a', 1)`)).toEqual([['down/here/now', 'hello', 2]]);
  await client.publishAsync('down/here', 'again', { qos: 1 });
  expect(await tab.run(`messages('a', 1)`)).toEqual([['down/here', 'again', 1]]);
  await tab.run(`clients.a.client.publishAsync('up/there', 'ahoy', { qos: 2 })`);
  expect(await inbox.takeTexts(1)).toEqual(['ahoy']);
  await tab.run('clients.a.client.endAsync()');
});

test('without a token, and with a wrong one, nobody comes in', async () => {
  await openPage('ws');
  const wrong = `${await tokenOf('page')}x`;
  const options = { protocolVersion: 5 };
  const refused = { error: expect.stringMatching(/^Connection refused/) };
  expect(await connect('a', urlOf('ws'), options)).toMatchObject(refused);
  expect(
    await connect('b', urlOf('ws'), { ...options, username: 'u', password: wrong }),
  ).toMatchObject(refused);
});

test('a token that is renewed in place outlives the first one', async () => {
  await openPage('wss');
  const token = JSON.stringify(await tokenOf('page', EXPIRES_SOON_SECONDS));
  for (const name of ['renews', 'forgets']) {
    const options = `{ protocolVersion: 5, properties: authData(${token}) }`;
    const connected = tab.run(`connect('${name}', '${urlOf('wss')}', ${options})`);
    expect(await connected).toMatchObject({ reasonCode: 0 });
  }
  const longer = JSON.stringify(await tokenOf('page'));
  expect(await tab.run(`renew('renews', ${longer})`)).toBe(0);
  // The one that has not renewed tells when the first token has expired.
  await tab.run(`until('forgets', ({ client }) => !client.connected)`);
  expect(await tab.run('clients.forgets.ends')).toEqual([0xa0]);
  expect(await tab.run('clients.renews.client.connected')).toBe(true);
  await tab.run(`clients.renews.client.subscribeAsync('renewed', { qos: 1 })`);
  const { client } = await program();
  await client.publishAsync('renewed', 'still here', { qos: 1 });
  expect(await tab.run(`messages('renews', 1)`)).toEqual([['renewed', 'still here', 1]]);
  await tab.run('clients.renews.client.endAsync()');
});

test.each(['ws', 'wss'] as const)(
  '%s: a session outlives a broker that was killed',
  async (scheme) => {
    await openPage(scheme);
    const options = {
      protocolVersion: 5,
      clientId: `dashboard-${scheme}`,
      clean: false,
      username: 'any',
      password: await tokenOf('page'),
      properties: { sessionExpiryInterval: 3600 },
    };
    expect(await connect('a', urlOf(scheme), options)).toMatchObject({ sessionPresent: false });
    await tab.run(`clients.a.client.subscribeAsync('queue/${scheme}/#', { qos: 2 })`);
    await broker.kill();
    await tab.run(`until('a', ({ client }) => !client.connected)`);
    // What the page publishes meanwhile waits in it.
    await tab.run(`clients.a.client.publish('up/${scheme}', 'from afar', { qos: 2 }); 0`);
    await startBroker();
    const { client, inbox } = await program();
    await client.subscribeAsync(`up/${scheme}`, { qos: 2 });
    await client.publishAsync(`queue/${scheme}/1`, 'one', { qos: 1 });
    await client.publishAsync(`queue/${scheme}/2`, 'two', { qos: 2 });
    expect(await tab.run(`reconnect('a')`)).toMatchObject({ reasonCode: 0, sessionPresent: true });
    expect(await tab.run(`messages('a', 2)`)).toEqual([
      [`queue/${scheme}/1`, 'one', 1],
      [`queue/${scheme}/2`, 'two', 2],
    ]);
    expect(await inbox.takeTexts(1)).toEqual(['from afar']);
    await tab.run('clients.a.client.endAsync()');
  },
);

test('a page of another origin is refused, its cookie notwithstanding', async () => {
  await tab.open(`http://localhost:${pages.ws.port}/`);
  const token = await tokenOf('page');
  const options = { protocolVersion: 5, username: 'any', password: token };
  expect(await connect('a', urlOf('ws'), options)).toHaveProperty('error');
  await broker.says(`pages of http://localhost:${pages.ws.port} are not among the origins let in`);
});

test('the dashboard of the examples', async () => {
  const command = await Command.start(folder, [
    '--in-memory',
    '--listen',
    'ws://127.0.0.1:0/mqtt',
    '--log-format',
    'json',
  ]);
  onTestFinished(() => command.kill());
  const url = (await command.addresses())[0]!;
  const other = await connectAsync(url, { reconnectPeriod: 0 });
  onTestFinished(() => other.endAsync(true));
  const markup = '<img src=x onerror=alert(1)>';
  await other.publishAsync('home/kitchen', markup, { qos: 1, retain: true });
  const inbox = new Inbox(other);
  await other.subscribeAsync('home/hello');
  await tab.open(`${pathToFileURL(DASHBOARD)}?url=${encodeURIComponent(url)}`);
  const cell = (topic: string): string =>
    `[...document.querySelectorAll('tr')].find((row) => row.cells[0].textContent === '${topic}')`;
  const seen = (topic: string): Promise<string> =>
    tab.run(`new Promise((resolve) => setInterval(() => {
      const row = ${cell(topic)};
      if (row) resolve(row.cells[1].textContent);
    }, 20))`);
  expect(await seen('home/kitchen')).toBe(markup);
  await tab.run(`document.querySelector('button').click()`);
  expect(await inbox.takeTexts(1)).toEqual(['Hello']);
  expect(await seen('home/hello')).toBe('Hello');
  expect(await tab.run(`document.querySelector('#state').className`)).toBe('online');
});
