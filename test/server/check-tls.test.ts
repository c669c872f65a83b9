import { chmodSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { checkTls } from '../../src/server/check/tls.js';
import { type Config, parseConfig } from '../../src/server/config.js';
import { CertificateFolder, type PairFiles } from '../support/certificates.js';

let files: CertificateFolder;
let good: PairFiles;
let other: PairFiles;

beforeAll(async () => {
  files = await CertificateFolder.create();
  good = await files.issue('good', { days: 300 });
  other = await files.issue('other', { days: 300 });
  for (const { key } of [good, other]) chmodSync(key, 0o600);
});
afterAll(() => files.remove());

async function found(tls: object | undefined, more: object = {}): Promise<string[]> {
  const listen = { url: 'mqtts://127.0.0.1:0', tls, ...more };
  const config = parseConfig({ listen: [listen], inMemory: true });
  if (!('listen' in config)) throw new Error(JSON.stringify(config));
  const findings = await checkTls(config as Config);
  return findings.map(({ severity, place, sentence }) => `${severity} ${place}: ${sentence}`);
}

const own = (pair: PairFiles) => ({ certificate: pair.certificate, key: pair.key });

test('nothing is said of what is in order', async () => {
  expect(await found(own(good))).toEqual([]);
});

test('files that cannot be used, one by one', async () => {
  const notThere = `${files.folder}/none.pem`;
  expect(await found({ certificate: good.certificate, key: notThere })).toEqual([
    `error listen[0].tls.key: ${notThere} cannot be read: there is no such file`,
  ]);
  expect(await found({ certificate: good.certificate, key: other.key })).toEqual([
    `error listen[0].tls.key: ${other.key} is not the private key of the certificate in ${good.certificate}`,
  ]);
  expect((await found({ certificate: good.key, key: good.key }))[0]).toContain(
    'has no certificate in PEM',
  );
  expect((await found({ certificate: good.certificate, key: good.certificate }))[0]).toContain(
    'has no private key in PEM',
  );
  const turned = files.write('turned.pem', `${files.caPem}${good.pem}`);
  expect((await found({ certificate: turned, key: good.key }))[0]).toContain(
    "must begin with the server's own certificate",
  );
  const locked = files.write(
    'locked.key',
    '-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n',
  );
  expect((await found({ certificate: good.certificate, key: locked }))[0]).toContain(
    'is encrypted: take the password off',
  );
});

test('dates', async () => {
  const dayMs = 86_400_000;
  const old = await files.issue('old', { days: 1, nowMs: Date.now() - 2 * dayMs });
  const soon = await files.issue('soon', { days: 365, nowMs: Date.now() - 346 * dayMs });
  const short = await files.issue('short', { days: 6 });
  const early = await files.issue('early', { nowMs: Date.now() + 2 * dayMs });
  for (const { key } of [old, soon, short, early]) chmodSync(key, 0o600);
  expect((await found(own(old)))[0]).toMatch(/^error .*CN=old has expired on/);
  expect((await found(own(soon)))[0]).toMatch(/^warning .*CN=soon expires in 1[89] days/);
  expect(await found(own(short))).toEqual([]);
  expect((await found(own(early)))[0]).toMatch(/^error .*is the clock right/);
});

test('keys that others read, names, and pre-shared keys', async () => {
  chmodSync(other.key, 0o644);
  expect(await found(own(other))).toEqual([
    `warning listen[0].tls.key: every user of this machine can read ${other.key}: chmod 640 ${other.key}`,
  ]);
  chmodSync(other.key, 0o600);
  const sni = [{ names: ['localhost', 'far.example'], ...own(other) }];
  expect(await found({ ...own(good), sni })).toEqual([
    'warning listen[0].tls.sni[0].certificate: it is shown for far.example and is not made out to it',
  ]);
  const pskFile = files.write('psk', `# all\n\na:00\nb:zz\n:00\na:${'11'.repeat(20)}\n`);
  chmodSync(pskFile, 0o600);
  expect(await found({ pskFile })).toEqual([
    `error listen[0].tls.psk_file: ${pskFile}, line 4: b has a key that is not hexadecimal digits in pairs`,
    `error listen[0].tls.psk_file: ${pskFile}, line 5: it is no identity:key`,
    `error listen[0].tls.psk_file: ${pskFile}, line 6: a is there twice`,
  ]);
  files.write('psk', 'a:00\n');
  chmodSync(pskFile, 0o600);
  expect(await found({ pskFile })).toEqual([
    `warning listen[0].tls.psk_file: ${pskFile}, line 1: the key of a has 1 bytes: take 16 or more`,
  ]);
});

test('authorities and revocation lists', async () => {
  const asks = { ...own(good), clientCertificate: 'required' };
  expect(await found(asks)).toEqual([
    'error listen[0].tls.ca: is missing: name the file with the authorities of client certificates',
  ]);
  expect((await found({ ...asks, ca: other.certificate }))[0]).toContain(
    'CN=other is no authority',
  );
  const revocationList = await files.revoke();
  expect(await found({ ...asks, ca: files.ca, revocationList })).toEqual([]);
  const noList = await found({ ...asks, ca: files.ca, revocationList: files.ca });
  expect(noList[0]).toContain('has no revocation list in PEM');
  expect(readFileSync(revocationList, 'utf8')).toContain('X509 CRL');
});
