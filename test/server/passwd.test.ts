import { spawn } from 'node:child_process';
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import { parsePasswordFile, type User } from '../../src/extensions/authentication/password-file.js';
import { verifyPassword } from '../../src/extensions/authentication/password-hash.js';
import { buildIfStale, serverMain } from '../support/build-if-stale.js';

let file: string;

beforeAll(buildIfStale);

beforeEach(() => {
  const folder = mkdtempSync(join(tmpdir(), 'dunlin-passwd-'));
  file = join(folder, 'passwords');
  onTestFinished(() => rmSync(folder, { recursive: true }));
});

interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function passwd(input: string, ...args: readonly string[]): Promise<Outcome> {
  const child = spawn(process.execPath, [serverMain, 'passwd', ...args]);
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (part) => {
    stdout += String(part);
  });
  child.stderr.on('data', (part) => {
    stderr += String(part);
  });
  child.stdin.end(input);
  return new Promise((resolve) => {
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
}

function users(): readonly User[] {
  const { users, faults } = parsePasswordFile(readFileSync(file, 'utf8'), file);
  expect(faults).toEqual([]);
  return users;
}

function fits(name: string, password: string): Promise<boolean> {
  const { hash } = users().find((user) => user.name === name)!;
  return verifyPassword(hash, Buffer.from(password));
}

test('makes the file for its owner alone, adds, changes, keeps groups, removes', async () => {
  const added = await passwd(
    'sécret\n',
    file,
    'kitchen',
    '--groups',
    'home,lights',
    '--cost',
    '10',
  );
  expect(added).toMatchObject({ code: 0, stdout: '' });
  expect(added.stderr).toContain('added the user kitchen');
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(await fits('kitchen', 'sécret')).toBe(true);
  await passwd('other', file, 'cellar', '--cost', '10');
  const changed = await passwd('new\nsecond line\n', file, 'kitchen', '--cost', '10');
  expect(changed.stderr).toContain('changed the user kitchen');
  expect(users()).toMatchObject([
    { name: 'kitchen', groups: ['home', 'lights'], hash: { cost: 1024 } },
    { name: 'cellar', groups: [] },
  ]);
  expect([await fits('kitchen', 'new'), await fits('kitchen', 'sécret')]).toEqual([true, false]);
  expect(await passwd('', file, 'kitchen', '--delete')).toMatchObject({ code: 0 });
  expect(users().map(({ name }) => name)).toEqual(['cellar']);
  const gone = await passwd('', file, 'kitchen', '--delete');
  expect(gone).toMatchObject({ code: 2, stderr: expect.stringContaining('there is no user') });
  expect(readdirSync(join(file, '..'))).toEqual(['passwords']);
});

test('a password by chance is printed alone, and fits', async () => {
  const { stdout, stderr } = await passwd('', file, 'kitchen', '--random');
  expect(stdout).toMatch(/^[2-9A-HJ-NP-Za-km-z]{24}\n$/);
  expect(stderr).not.toContain(stdout.trim());
  expect(await fits('kitchen', stdout.trim())).toBe(true);
  expect(users()[0]!.hash).toMatchObject({ kind: 'scrypt', cost: 16_384 });
});

test('with --scram one entry serves SCRAM and plain passwords', async () => {
  await passwd('secret', file, 'kitchen', '--scram', '--iterations', '5000');
  expect(users()[0]!.hash).toMatchObject({ kind: 'scram-sha-256', iterations: 5000 });
  expect(await fits('kitchen', 'secret')).toBe(true);
});

test.each([
  [['a:b'], 'x', 'colon'],
  [['kitchen', '--groups', 'a:b'], 'x', 'no name for a group'],
  [['kitchen'], '', 'the password is empty'],
  [['kitchen'], '\nx', 'the password is empty'],
  [['kitchen', '--cost', '30'], 'x', '--cost: expected a whole number from 10 to 17'],
  [['kitchen', '--scram', '--cost', '12'], 'x', 'leave out --scram or --cost'],
  [['kitchen', '--scram', '--iterations', '5'], 'x', 'from 4096 to'],
  [['kitchen', '--iterations', '5000'], 'x', 'goes with --scram'],
  [['kitchen', '--scram'], 'a\u0007', 'no control characters'],
])('%j with %j is refused and changes nothing', async (args, input, sentence) => {
  const { code, stderr } = await passwd(input, file, ...args);
  expect(code).toBe(2);
  expect(stderr).toContain(sentence);
  expect(() => statSync(file)).toThrow();
});

test('a file that is there keeps its permissions, its link, and lines it does not know', async () => {
  writeFileSync(`${file}.real`, '# mine\nbroken line\n');
  chmodSync(`${file}.real`, 0o640);
  symlinkSync(`${file}.real`, file);
  const { code, stderr } = await passwd('x', file, 'kitchen', '--cost', '10');
  expect(code).toBe(0);
  expect(stderr).toContain(`${file}:2: expected name:hash`);
  expect(statSync(`${file}.real`).mode & 0o777).toBe(0o640);
  expect(readFileSync(`${file}.real`, 'utf8')).toMatch(/^# mine\nbroken line\nkitchen:\$scrypt\$/);
});

test('a folder that is not there is told, with exit code 1', async () => {
  const { code, stderr } = await passwd('x', join(file, 'nowhere'), 'kitchen', '--cost', '10');
  expect(code).toBe(1);
  expect(stderr).toContain('cannot be written');
});
