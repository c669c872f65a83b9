import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { parsePasswordFile } from '../../../src/extensions/authentication/password-file.js';
import { verifyPassword } from '../../../src/extensions/authentication/password-hash.js';
import { StartError } from '../../../src/server/exit-code.js';
import { judgeNames } from '../../../src/server/init/names.js';
import { listenersOf, type SetupPlan } from '../../../src/server/init/plan.js';
import { writeSetup } from '../../../src/server/init/write-setup.js';
import { loadConfig } from '../../../src/server/load-config.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'dunlin-init-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function plan(more: Partial<SetupPlan> = {}): SetupPlan {
  return {
    folder,
    userName: 'home',
    names: ['broker.home', '127.0.0.1'],
    certificates: 'local',
    email: undefined,
    plainDevices: false,
    browsers: true,
    mdns: false,
    ...more,
  };
}

test('a setup that loads: user, certificates, listeners', async () => {
  const { configFile, password, authorityFile } = await writeSetup(plan({ mdns: true }));
  const config = await loadConfig({ config: configFile }, {});
  expect(config.listen.map(({ url: { scheme, host, port } }) => [scheme, host, port])).toEqual([
    ['mqtts', '0.0.0.0', 8883],
    ['wss', '0.0.0.0', 8443],
    ['mqtt', '127.0.0.1', 1883],
  ]);
  expect(config.allowAnonymous).toBe(false);
  expect(config.mdnsName).toBe('Dunlin');
  const written = readFileSync(join(folder, 'passwords'), 'utf8');
  expect(written).not.toContain(password);
  const [user] = [...parsePasswordFile(written, 'passwords').users.values()];
  expect(user!.name).toBe('home');
  expect(await verifyPassword(user!.hash, Buffer.from(password))).toBe(true);
  const authority = new X509Certificate(readFileSync(authorityFile!));
  const server = new X509Certificate(readFileSync(join(folder, 'tls/server.pem')));
  expect(server.verify(authority.publicKey)).toBe(true);
  expect(server.checkHost('broker.home')).toBe('broker.home');
  expect(server.checkIP('127.0.0.1')).toBe('127.0.0.1');
});

test('what is secret is for the owner alone', async () => {
  await writeSetup(plan());
  for (const name of ['passwords', 'dunlin.yaml', 'tls/ca-key.pem', 'tls/server-key.pem']) {
    expect(statSync(join(folder, name)).mode & 0o077, name).toBe(0);
  }
});

test('nothing is overwritten, and nothing is written beside what is there', async () => {
  await writeSetup(plan({ certificates: 'none' }));
  const before = readFileSync(join(folder, 'passwords'), 'utf8');
  const error = await writeSetup(plan()).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(StartError);
  expect((error as StartError).sentences[0]).toContain('nothing was written');
  expect(readFileSync(join(folder, 'passwords'), 'utf8')).toBe(before);
  expect(readdirSync(folder).toSorted()).toEqual(['dunlin.yaml', 'passwords']);
});

test('a public authority: its settings stand in the configuration', async () => {
  const names = ['mqtt.example.org'];
  const { configFile } = await writeSetup(plan({ certificates: 'acme', names, email: 'a@b.org' }));
  const config = await loadConfig({ config: configFile }, {});
  expect(config.acme).toMatchObject({ names, email: 'a@b.org', acceptTerms: true });
  expect(config.listen[0]!.tls?.certificate).toBe(join(folder, 'acme', 'certificate.pem'));
});

test('who is reachable how', () => {
  const urls = (more: Partial<SetupPlan>, tls: object | undefined) =>
    listenersOf(plan(more), tls).map((listener) => (listener as { url: string }).url);
  expect(urls({ plainDevices: true, browsers: false }, {})).toEqual([
    'mqtts://0.0.0.0:8883',
    'mqtt://0.0.0.0:1883',
  ]);
  expect(urls({}, undefined)).toEqual(['mqtt://0.0.0.0:1883', 'ws://0.0.0.0:8080/mqtt']);
});

test.each([
  [['broker.home', '10.0.0.7', 'fd00::1'], 'local', undefined],
  [[], 'local', 'at least one'],
  [['white space!'], 'local', 'neither a host name'],
  [['broker'], 'acme', 'public name'],
  [['10.0.0.7'], 'acme', 'public name'],
  [['mqtt.example.org'], 'acme', undefined],
] as const)('names %j with certificates of %s', (names, kind, fault) => {
  const judgement = judgeNames(names, kind);
  if (fault === undefined) expect(judgement).toBeUndefined();
  else expect(judgement).toContain(fault);
});
