import { generateKeyPairSync } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { check } from '../../src/server/check/check.js';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'dunlin-check-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
});

function file(name: string, text: string, mode = 0o600): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
}

async function linesOf(authentication: string): Promise<readonly string[]> {
  const yaml = `listen: mqtt://127.0.0.1:0
in_memory: true
authorization: { rules: [{ effect: allow, topics: ['#'] }] }
authentication:
${authentication}`;
  const { lines } = await check({ config: file('dunlin.yaml', yaml) }, {});
  return lines.map((line) => line.replaceAll(`${folder}/`, ''));
}

const MOSQUITTO =
  '$7$101$qd50caYGHW6bD1Pr$8mtPaahIzeLNU/V2g1JUha0GaUIYOOFHrQe9EyuwRJTTW6rxvzOHYg3jAiJNdNgf5Di6588q8bf5Nl+BlPmVNQ==';

test('faults of the password file stop the start; quick hashes and open files are told', async () => {
  const users = file('users', `kitchen:${MOSQUITTO}\ncellar:secret\n`, 0o644);
  expect(await linesOf(`  password_file: ${users}\n`)).toEqual([
    expect.stringMatching(/^error: users:2: this is no password hash/),
    'warning: users: every user of this machine can read its hashes: chmod 640 users',
    expect.stringMatching(
      /^warning: .*authentication: the hashes of kitchen are of the quick kind/,
    ),
    'the broker would not start: 1 error, 2 warnings',
  ]);
});

test('an empty file lets nobody in, one that is not there stops the start', async () => {
  expect(await linesOf(`  password_file: ${file('users', '# none\n')}\n`)).toEqual([
    'warning: users: there is no user in it: "dunlin passwd users NAME" adds one',
    'the broker would start: 0 errors, 1 warning',
  ]);
  expect(await linesOf(`  password_file: ${folder}/no\n`)).toEqual([
    expect.stringMatching(/^error: .*authentication.password_file: no cannot be read \(ENOENT/),
    expect.stringContaining('would not start'),
  ]);
});

test('keys of tokens are tried, and what tokens may do too long or elsewhere is told', async () => {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const pem = file('key.pem', publicKey.export({ type: 'spki', format: 'pem' }).toString());
  const jwt = (algorithm: string): string =>
    `  jwt: { algorithms: ${algorithm}, public_key: ${pem}, require_expiry: false }\n`;
  expect(await linesOf(jwt('RS256'))).toContainEqual(
    expect.stringMatching(/^error: .*authentication.jwt.algorithms: RS256 cannot be verified by/),
  );
  expect(await linesOf(jwt('ES256'))).toEqual([
    expect.stringContaining('authentication.jwt.audience: there is none'),
    expect.stringContaining('authentication.jwt.require_expiry: tokens without an end'),
    'the broker would start: 0 errors, 2 warnings',
  ]);
});

test('a call-out in clear text is told, and a method that is not set up', async () => {
  const lines = await linesOf(
    '  http: { url: http://users.example/ask }\n  methods: [jwt, http]\n',
  );
  expect(lines).toEqual([
    expect.stringMatching(/^error: .*authentication.methods: jwt is not set up: put jwt under/),
    expect.stringContaining('authentication.http.url: passwords cross the network in clear text'),
    expect.stringContaining('would not start: 1 error, 1 warning'),
  ]);
});
