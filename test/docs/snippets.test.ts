import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { repositoryFolder } from '../support/build-if-stale.js';
import { Page } from './page.js';

const pages = ['docs/hooks.md', 'docs/authentication.md', 'docs/authorization.md'];
const snippets = pages.flatMap((path) => new Page(path).code('ts'));
const modules = join(repositoryFolder, 'node_modules');
const names = snippets.map((_, i) => `snippet-${i + 1}.ts`);
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'dunlin-snippets-'));
  symlinkSync(modules, join(folder, 'node_modules'));
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  const main = JSON.stringify(join(repositoryFolder, 'src/index.js'));
  snippets.forEach((snippet, i) => {
    writeFileSync(join(folder, names[i]!), snippet.replaceAll("'dunlin'", main));
  });
  const options = { isolatedDeclarations: false, types: ['node'] };
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({
      extends: join(repositoryFolder, 'tsconfig.json'),
      compilerOptions: options,
      include: ['*.ts'],
    }),
  );
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function node(...args: string[]) {
  return spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8', timeout: 110_000 });
}

test('they have the right types', () => {
  const { status, stdout } = node(join(modules, 'typescript/bin/tsc'), '-p', folder);
  expect(stdout).toBe('');
  expect(status).toBe(0);
});

test.each(names.map((name, i) => [name, snippets[i]!]))('%s runs and prints', (name, snippet) => {
  const loader = pathToFileURL(join(modules, 'tsx/dist/loader.mjs')).href;
  const { stdout, stderr } = node('--import', loader, join(folder, name));
  const expected = [...snippet.matchAll(/\/\/ → (.*)$/gm)].map(([, text]) => text!);
  expect(stderr).toBe('');
  expect(stdout.trim().split('\n').filter(Boolean).toSorted()).toEqual(expected.toSorted());
});
