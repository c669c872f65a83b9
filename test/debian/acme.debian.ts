import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { expect, onTestFinished, test } from 'vitest';
import { createAuthority, issueCertificate } from '../../src/server/certificates/authority.js';
import { buildIfStale, serverMain } from '../support/build-if-stale.js';
import { ChildProgram } from '../support/child-program.js';
import { type Pebble, startPebble } from '../support/pebble.js';

const NAMES = ['broker.example.org', 'mqtt.example.org'];

function folderFor(): string {
  const folder = mkdtempSync(join(tmpdir(), 'dunlin-acme-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function configure(folder: string, pebble: Pebble): string {
  const file = join(folder, 'dunlin.yaml');
  const [certificate, key] = [join(folder, 'certificate.pem'), join(folder, 'key.pem')];
  const settings = {
    listen: [{ url: 'mqtts://127.0.0.1:0', tls: { certificate, key } }],
    in_memory: true,
    log_format: 'json',
    acme: {
      names: NAMES,
      accept_terms: true,
      directory_url: pebble.directoryUrl,
      folder,
      http_host: '127.0.0.1',
      http_port: pebble.httpPort,
    },
  };
  writeFileSync(file, JSON.stringify(settings));
  return file;
}

async function started(config: string, { authorityFile }: Pebble): Promise<number> {
  await buildIfStale();
  const trust = `NODE_EXTRA_CA_CERTS=${authorityFile}`;
  const broker = new ChildProgram('env', [trust, process.execPath, serverMain, '--config', config]);
  onTestFinished(() => broker.kill());
  const lines = await broker.takeUntil('"ready"');
  const listening = lines
    .map((line) => JSON.parse(line))
    .find(({ event }) => event === 'listening');
  return Number(new URL(listening.url).port);
}

function certificateAt(port: number, servername: string): Promise<X509Certificate> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, servername, rejectUnauthorized: false });
    socket.once('error', reject);
    socket.once('secureConnect', () => {
      resolve(socket.getPeerX509Certificate()!);
      socket.destroy();
    });
  });
}

test('a first start orders the certificate that the listener then shows', async () => {
  const [folder, pebble] = [folderFor(), await startPebble()];
  const port = await started(configure(folder, pebble), pebble);
  const certificate = await certificateAt(port, NAMES[1]!);
  expect(NAMES.map((name) => certificate.checkHost(name))).toEqual(NAMES);
  expect(certificate.issuer).toContain('Pebble');
  const written = readFileSync(join(folder, 'certificate.pem'), 'utf8');
  expect(new X509Certificate(written).fingerprint256).toBe(certificate.fingerprint256);
});

test('what is nearly over is ordered anew, what is fresh is left alone', async () => {
  const [folder, pebble] = [folderFor(), await startPebble()];
  const days = 90;
  const nowMs = Date.now() - 80 * 86_400_000;
  const authority = await createAuthority({ commonName: 'old', days, nowMs });
  const old = { commonName: NAMES[0]!, names: NAMES, usage: 'server', days, nowMs } as const;
  const pair = await issueCertificate(authority, old);
  writeFileSync(join(folder, 'certificate.pem'), pair.certificate);
  writeFileSync(join(folder, 'key.pem'), pair.privateKey);
  const config = configure(folder, pebble);
  const first = await certificateAt(await started(config, pebble), NAMES[0]!);
  expect(first.issuer).toContain('Pebble');
  const second = await certificateAt(await started(config, pebble), NAMES[0]!);
  expect(second.fingerprint256).toBe(first.fingerprint256);
});
