import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { createAuthority, issueCertificate } from '../../src/server/certificates/authority.js';
import { ChildProgram } from './child-program.js';
import { connectWhenOpen, freePort } from './ports.js';

/** Debian's Pebble: a small ACME authority that really asks its http-01 questions. */
export interface Pebble {
  readonly directoryUrl: string;
  /** Where it comes with its questions, for every host name. */
  readonly httpPort: number;
  /** Must be trusted to speak to it (`NODE_EXTRA_CA_CERTS`). */
  readonly authorityFile: string;
}

export async function startPebble(): Promise<Pebble> {
  const folder = mkdtempSync(join(tmpdir(), 'dunlin-pebble-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const inFolder = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const nowMs = Date.now();
  const authority = await createAuthority({ commonName: 'tests', days: 2, nowMs });
  const names = ['127.0.0.1'];
  const own = { commonName: 'pebble', names, usage: 'server', days: 1, nowMs } as const;
  const { certificate, privateKey } = await issueCertificate(authority, own);
  const [port, managementPort, httpPort, dnsPort, dnsManagementPort] = await freePorts(5);
  const settings = {
    listenAddress: `127.0.0.1:${port}`,
    managementListenAddress: `127.0.0.1:${managementPort}`,
    certificate: inFolder('certificate.pem', certificate),
    privateKey: inFolder('key.pem', privateKey),
    httpPort,
    tlsPort: 1,
    ocspResponderURL: '',
    externalAccountBindingRequired: false,
  };
  const config = inFolder('config.json', JSON.stringify({ pebble: settings }));
  // Every name leads to this machine.
  run('pebble-challtestsrv', [
    ...['-dns01', `127.0.0.1:${dnsPort}`, '-management', `127.0.0.1:${dnsManagementPort}`],
    ...['-http01', '', '-https01', '', '-tlsalpn01', '', '-defaultIPv6', ''],
  ]);
  run('env', [
    ...['PEBBLE_VA_NOSLEEP=1', 'PEBBLE_WFE_NONCEREJECT=20'],
    ...['pebble', '-config', config, '-dnsserver', `127.0.0.1:${dnsPort}`],
  ]);
  (await connectWhenOpen(port!)).destroy();
  (await connectWhenOpen(dnsManagementPort!)).destroy();
  return {
    directoryUrl: `https://127.0.0.1:${port}/dir`,
    httpPort: httpPort!,
    authorityFile: inFolder('ca.pem', authority.certificate),
  };
}

function run(program: string, words: readonly string[]): void {
  const child = new ChildProgram(program, words);
  onTestFinished(() => child.kill());
}

async function freePorts(count: number): Promise<number[]> {
  return Promise.all(Array.from({ length: count }, freePort));
}
