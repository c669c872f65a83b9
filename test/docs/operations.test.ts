import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { parseConfig } from '../../src/server/config.js';
import { fromEnvironment } from '../../src/server/config-environment.js';
import { parseConfigFile } from '../../src/server/config-file.js';
import { ExitCode } from '../../src/server/exit-code.js';
import { DropReason } from '../../src/session/statistics.js';
import { buildIfStale, repositoryFolder, serverMain } from '../support/build-if-stale.js';
import { codeWords, Page } from './page.js';

const page = new Page('docs/operations.md');

beforeAll(buildIfStale);

test('the example is one', () => {
  const [example] = page.code('yaml');
  const source = parseConfigFile('dunlin.yaml', example!);
  expect(source.faults).toEqual([]);
  expect(parseConfig(source.value)).toMatchObject({
    listen: [{ versions: [4, 5], limits: { packetBytesMax: 65_536 } }, { url: { scheme: 'ws' } }],
    limits: { queuedMessagesMax: 100_000 },
  });
});

test('the variables of the page are read', () => {
  const variables = page.rows('variable').flatMap((row) => codeWords(row['variable']));
  const others = ['DUNLIN_CONFIG', 'NO_COLOR'];
  const settings = variables.filter((name) => !others.includes(name));
  expect(settings.length).toBeGreaterThan(4);
  for (const variable of settings) {
    const source = fromEnvironment({ [variable]: variable.endsWith('_FILE') ? '/dev/null' : '1' });
    expect(source.faults).toEqual([]);
    expect(Object.keys(source.value).length, variable).toBe(1);
  }
});

test('every flag of the command is on the page, and no other', () => {
  const help = spawnSync(process.execPath, [serverMain, '--help'], { encoding: 'utf8' }).stdout;
  const flags = (text: string): string[] => [...new Set(text.match(/(?<![\w-])--[a-z-]+/g))];
  const named = page.rows('flag').flatMap((row) => flags(row['flag']!));
  const real = flags(help.slice(help.indexOf('Options:'), help.indexOf('Commands:')));
  expect(real.length).toBeGreaterThan(8);
  expect(named.toSorted()).toEqual(real.toSorted());
});

test('exit codes are the real ones', () => {
  const rows = page.rows('code');
  const named = rows.map((row) => [codeWords(row['name'])[0], Number(row['code'])]);
  expect(Object.fromEntries(named)).toEqual(ExitCode);
});

test('every event that is logged is on the page, and no other', () => {
  const folder = join(repositoryFolder, 'src');
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  const sources = files.filter((name) => name.endsWith('.ts'));
  const used = sources.flatMap((name) => {
    // The name, or the names that a condition chooses from.
    const events = readFileSync(join(folder, name), 'utf8').matchAll(
      /\bevent: ([^,}\n]*'[^,}\n]*)/g,
    );
    return [...events].flatMap(([, value]) =>
      [...value!.matchAll(/'([a-z_]+)'/g)].map(([, event]) => event!),
    );
  });
  const named = page.rows('event').map((row) => codeWords(row['event'])[0]);
  expect(named.toSorted()).toEqual([...new Set(used)].toSorted());
});

test('every reason to drop a message is on the page', () => {
  for (const reason of Object.values(DropReason)) expect(page.text).toContain(`\`${reason}\``);
});

test('the example of a log line is one', () => {
  const [line] = page.code('json');
  expect(Object.keys(JSON.parse(line!))).toEqual(
    expect.arrayContaining(['level', 'time', 'event', 'client', 'msg']),
  );
});
