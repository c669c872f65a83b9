import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { check } from '../../src/server/check/check.js';
import { freePort } from '../support/ports.js';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'dunlin-check-'));
});

afterEach(() => rmSync(folder, { recursive: true }));

async function report(yaml: string): Promise<{ lines: readonly string[]; exitCode: number }> {
  const file = join(folder, 'dunlin.yaml');
  writeFileSync(file, yaml);
  chmodSync(file, 0o644);
  const { lines, exitCode } = await check({ config: file }, {});
  return { lines: lines.map((line) => line.replaceAll(`${folder}/`, '')), exitCode };
}

const near = (more = ''): string => `listen: mqtt://127.0.0.1:0\ndata: ${folder}/new\n${more}`;

test('where all is well it says so, and makes nothing', async () => {
  const { lines, exitCode } = await report(near());
  expect(lines).toEqual(['the broker would start: 0 errors, 0 warnings']);
  expect(exitCode).toBe(0);
  expect(existsSync(join(folder, 'new'))).toBe(false);
});

test('what is wrong in the file and what is wrong on the machine is told at once', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.on('listening', resolve));
  const { port } = server.address() as AddressInfo;
  writeFileSync(join(folder, 'file'), '');
  const { lines, exitCode } = await report(`durabilty: power
listen:
  - url: mqtt://127.0.0.1:0
    limits: { qos_max: 3 }
  - mqtt://127.0.0.1:${port}
data: ${folder}/file
`);
  server.close();
  expect(exitCode).toBe(2);
  expect(lines.slice(0, 2)).toEqual([
    'error: dunlin.yaml:1:1: there is no setting durabilty; did you mean durability?',
    'error: dunlin.yaml:4:24: listen[0].limits.qos_max: expected a whole number from 0 to 2, not 3',
  ]);
  // This very process holds it, as another listener would.
  expect(lines[2]).toContain(`error: dunlin.yaml:5:5: listen[1].url: another listener`);
  expect(lines[3]).toBe(
    'error: dunlin.yaml:6:7: data: file is no folder; name an empty or a new one',
  );
  expect(lines.at(-1)).toBe('the broker would not start: 4 errors, 0 warnings');
});

test('two listeners of one address meet', async () => {
  const port = await freePort();
  const twice = `listen: [mqtt://127.0.0.1:${port}, mqtt://127.0.0.1:${port}]\nin_memory: true`;
  expect((await report(twice)).lines).toEqual([
    expect.stringContaining(`another listener of this configuration opens port ${port} as well`),
    'the broker would not start: 1 error, 0 warnings',
  ]);
});

test('a data folder that others can read or change is told', async () => {
  const data = join(folder, 'new');
  mkdirSync(data);
  const warningAt = async (mode: number): Promise<string> => {
    chmodSync(data, mode);
    return (await report(near())).lines[0]!;
  };
  expect(await warningAt(0o755)).toContain('every user of this machine can read the messages in');
  expect(await warningAt(0o775)).toContain('other users of this machine can change');
  expect(await warningAt(0o700)).toContain('0 warnings');
  const nowhere = await report('listen: mqtt://127.0.0.1:0\ndata: /proc/nowhere');
  // Who is not root is told before that that it cannot be made.
  expect(nowhere.lines).toContain(
    'error: dunlin.yaml:2:7: data: /proc is in a file system without a disk',
  );
});

test('what is open to whom is told', async () => {
  const doors = (
    await report(`
listen:
  - url: mqtt://0.0.0.0:0
    allow_anonymous: true
  - url: ws://127.0.0.1:0
    allow_anonymous: true
  - url: mqtt://0.0.0.0:0
    authentication: password_file
in_memory: true
authentication: { password_file: ${folder}/passwords }
`)
  ).lines;
  const has = (text: string): void => {
    expect(doors).toContainEqual(expect.stringContaining(text));
  };
  has('dunlin.yaml:3:5: listen[0]: mqtt://0.0.0.0:0: whoever reaches it is let in without');
  has('listen[1]: ws://127.0.0.1:0/mqtt: every web page');
  has('listen[2]: mqtt://0.0.0.0:0: passwords cross the network in clear text here');
  has('listen[2]: mqtt://0.0.0.0:0: whoever is let in may read and write every topic');
});

test('secrets in a file that everybody can read are told, those kept elsewhere are not', async () => {
  const secret = join(folder, 'secret');
  writeFileSync(secret, 'a-secret-of-some-length-of-32-bytes\n');
  const jwt = (key: string): string =>
    near(`authentication: { jwt: { algorithms: HS256, ${key} } }`);
  const open = await report(jwt('secret: a-secret-of-some-length-of-32-bytes'));
  expect(open.lines).toContainEqual(expect.stringContaining('it holds secrets and every user'));
  const kept = await report(jwt(`secret_file: ${secret}`));
  expect(kept.lines).not.toContainEqual(expect.stringContaining('it holds secrets'));
});

test('a rule of devices for a listener that is not there is told', async () => {
  const { lines, exitCode } = await report(
    near(`devices:
  - match: { listener: 'mqtt://127.0.0.1:0' }
    idle_seconds_max: 1h
  - match: { listener: 'mqtts://*' }
    idle_seconds_max: 2h
`),
  );
  expect(exitCode).toBe(0);
  expect(lines).toEqual([
    'warning: dunlin.yaml:6:24: devices[1].match.listener: there is no such listener, so the rule means nobody: there are mqtt://127.0.0.1:0',
    'the broker would start: 0 errors, 1 warning',
  ]);
});
