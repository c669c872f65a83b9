import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { issueClient, renewServer } from '../../../src/server/certificates/certificate-command.js';
import { StartError } from '../../../src/server/exit-code.js';
import { defaultPlan } from '../../../src/server/init/plan.js';
import { writeSetup } from '../../../src/server/init/write-setup.js';

const folder = mkdtempSync(join(tmpdir(), 'dunlin-certificate-'));
const names = ['broker.home', 'home', '192.0.2.7', 'fd00::7'];

beforeAll(async () => {
  await writeSetup({ ...defaultPlan(), folder, names });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const pem = (name: string): Buffer => readFileSync(join(folder, 'tls', name));
const certificate = (name: string): X509Certificate => new X509Certificate(pem(name));

async function sentencesOf(promise: Promise<unknown>): Promise<readonly string[]> {
  const error = await promise.catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(StartError);
  return (error as StartError).sentences;
}

test('a renewed certificate has the names of the old one, a key of its own, and later ends', async () => {
  const old = certificate('server.pem');
  const inOneYear = Date.now() + 365 * 86_400_000;
  const [sentence] = await renewServer(folder, inOneYear);
  const renewed = certificate('server.pem');
  expect(sentence).toContain(renewed.validTo);
  expect(renewed.subject).toBe(old.subject);
  expect(renewed.checkHost('broker.home')).toBe('broker.home');
  expect(renewed.checkIP('192.0.2.7')).toBe('192.0.2.7');
  expect(renewed.checkIP('fd00::7')).toBeDefined();
  expect(renewed.serialNumber).not.toBe(old.serialNumber);
  expect(renewed.verify(certificate('ca.pem').publicKey)).toBe(true);
  expect(renewed.checkPrivateKey(await privateKey('server-key.pem'))).toBe(true);
  expect(Date.parse(renewed.validTo)).toBeGreaterThan(Date.parse(old.validTo));
});

async function privateKey(name: string) {
  const { createPrivateKey } = await import('node:crypto');
  return createPrivateKey(pem(name));
}

test('a client gets files of its own, for its owner alone', async () => {
  const sentences = await issueClient(folder, 'pump-7', '30', Date.now());
  expect(sentences.join()).toContain('pump-7.pem');
  const client = certificate('pump-7.pem');
  expect(client.subject).toBe('CN=pump-7');
  expect(client.keyUsage).toEqual(['1.3.6.1.5.5.7.3.2']);
  expect(client.verify(certificate('ca.pem').publicKey)).toBe(true);
  expect(client.checkPrivateKey(await privateKey('pump-7-key.pem'))).toBe(true);
  expect(statSync(join(folder, 'tls', 'pump-7-key.pem')).mode & 0o077).toBe(0);
  expect(await sentencesOf(issueClient(folder, 'pump-7', undefined, Date.now()))).toEqual([
    expect.stringContaining('pump-7-key.pem is there already'),
  ]);
});

test.each(['', '../x', 'a/b', 'ca', 'server', 'a'.repeat(65), '.hidden'])(
  'the name %j is refused',
  async (name) => {
    const before = pem('ca.pem');
    expect(await sentencesOf(issueClient(folder, name, undefined, Date.now()))).toEqual([
      expect.stringContaining('cannot name a certificate'),
    ]);
    expect(pem('ca.pem')).toEqual(before);
  },
);

test('a folder without an authority is told, and days that are none', async () => {
  expect(await sentencesOf(renewServer(join(folder, 'data'), Date.now()))).toEqual([
    expect.stringContaining('"dunlin init"'),
  ]);
  expect(await sentencesOf(issueClient(folder, 'x', 'long', Date.now()))).toEqual([
    '--days: expected a whole number from 1 to 36500, not "long"',
  ]);
});
