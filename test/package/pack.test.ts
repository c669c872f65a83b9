import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildIfStale, repositoryFolder } from '../support/build-if-stale.js';

const INSTALL_MS_MAX = 300_000;

let folder: string;

function run(command: string, ...args: string[]): string {
  return execFileSync(command, args, { cwd: folder, encoding: 'utf8', stdio: 'pipe' });
}

beforeAll(async () => {
  await buildIfStale();
  folder = mkdtempSync(join(tmpdir(), 'dunlin-pack-'));
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }');
  // Scripts would compile anew under the feet of other tests.
  const pack = ['pack', '--ignore-scripts', '--pack-destination', folder];
  execFileSync('npm', pack, { cwd: repositoryFolder, stdio: 'pipe' });
  const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz'));
  expect(tarball).toBeDefined();
  run('npm', 'install', '--no-audit', '--no-fund', '--prefer-offline', join(folder, tarball!));
}, INSTALL_MS_MAX);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('the command runs from an installed package', () => {
  expect(run('npx', '--no-install', 'dunlin', '--version')).toMatch(/^\d+\.\d+\.\d+\s*$/);
});

test('so does the simulation of devices', () => {
  expect(run('npx', '--no-install', 'dunlin-sim', '--list')).toMatch(/^ 1 {2}oversize-poison /);
});

test('a program can embed the broker', () => {
  writeFileSync(
    join(folder, 'embed.js'),
    `import { createBroker } from 'dunlin';
     const broker = await createBroker({ listen: ['mqtt://127.0.0.1:0', 'ws://127.0.0.1:0'] });
     console.log(broker.addresses.join(' '));
     await broker.close();`,
  );
  expect(run('node', 'embed.js')).toMatch(
    /^mqtt:\/\/127\.0\.0\.1:\d+ ws:\/\/127\.0\.0\.1:\d+\/mqtt\s*$/,
  );
});

test('the codec can be used alone', () => {
  writeFileSync(
    join(folder, 'codec.js'),
    `import * as wire from 'dunlin/wire'; console.log(Object.keys(wire).length > 0);`,
  );
  expect(run('node', 'codec.js').trim()).toBe('true');
});

test('the types are found by a strict program', () => {
  writeFileSync(
    join(folder, 'typed.ts'),
    `import { createBroker, type BrokerOptions, type RunningBroker } from 'dunlin';
     const options: BrokerOptions = { durability: 'memory' };
     const broker: RunningBroker = await createBroker(options);
     await broker.close();`,
  );
  const compiler = join(repositoryFolder, 'node_modules/typescript/bin/tsc');
  const flags = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2023'];
  const types = ['--typeRoots', join(repositoryFolder, 'node_modules/@types'), '--types', 'node'];
  expect(run('node', compiler, ...flags, ...types, 'typed.ts')).toBe('');
});
