import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { configNames, parseConfig } from '../../src/server/config.js';
import { parseConfigFile } from '../../src/server/config-file.js';
import { fromEnvironment, snakeCase, writtenNames } from '../../src/server/config-source.js';
import { ExitCode } from '../../src/server/exit-code.js';
import { defaultLimits } from '../../src/session/limits.js';
import { DropReason } from '../../src/session/statistics.js';
import { buildIfStale, repositoryFolder, serverMain } from '../support/build-if-stale.js';
import { codeWords, Page, type Row } from './page.js';

const page = new Page('docs/operations.md');
const keys = page.rows('key');
const listenerKeys = page.rows('key of a listener');

beforeAll(buildIfStale);

function rowOf(key: string): Row | undefined {
  return keys.find((row) => codeWords(row['key'])[0] === key);
}

function parsed(value: object): Record<string, unknown> {
  const result = parseConfig({ listen: [], ...value });
  if ('listen' in result) return result as unknown as Record<string, unknown>;
  throw new Error(JSON.stringify(result));
}

/** What the schema says of a value that nothing accepts. */
function expectation(value: object): string {
  const result = parseConfig({ listen: [], ...value });
  if ('listen' in result) throw new Error(`${JSON.stringify(value)} was accepted`);
  return result[0]!.expectation;
}

/** Whether the cell of the page says what the schema expects. */
function expectType(cell: string, expected: string): void {
  const [, min, max] = /from (\d+) to (\d+)/.exec(expected) ?? [];
  if (min !== undefined) {
    const kind = expected.includes('size') ? 'size' : expected.includes('time') ? 'time' : 'count';
    expect(cell).toBe(`${kind} ${min}–${max}`);
  } else if (expected.startsWith('expected true or false')) expect(cell).toBe('yes/no');
  else {
    const words = expected.replace(/^expected /, '').replace(/, not .*/, '');
    expect(codeWords(cell)).toEqual(words.split(/, | or /));
  }
}

test.each(configNames.limits)('limits.%s has its type, range and default', (name) => {
  const row = rowOf(snakeCase(name));
  const [shown] = codeWords(row?.['default']);
  const limits = parsed({ limits: { [name]: shown } })['limits'] as Record<string, unknown>;
  expect(limits[name]).toBe(defaultLimits[name as keyof typeof defaultLimits]);
  expectType(row!['type']!, expectation({ limits: { [name]: '?' } }));
});

test.each(configNames.top)('%s has its type and default', (name) => {
  const row = rowOf(snakeCase(name));
  expect(row).toBeDefined();
  if (name === 'listen' || name === 'limits') return;
  const [shown] = codeWords(row!['default']);
  expect(parsed({ [name]: shown })[name]).toBe(parsed({})[name]);
  if (name === 'data') expect(row!['type']).toBe('text');
  else expectType(row!['type']!, expectation({ [name]: '?' }));
});

test('keys that the page names exist, and each is there once', () => {
  const { top, limits, listener } = configNames;
  const real = [...top, ...listener, ...limits].map(snakeCase);
  const named = [
    ...keys.map((row) => row['key']),
    ...listenerKeys.map((row) => row['key of a listener']),
  ];
  expect(named.flatMap(codeWords).toSorted()).toEqual(real.toSorted());
});

test('the example has every key, with its default', () => {
  const [example] = page.code('yaml');
  const source = parseConfigFile('dunlin.yaml', example!);
  expect(source.faults).toEqual([]);
  const value = source.value as Record<string, object>;
  expect(Object.keys(value).toSorted()).toEqual([...configNames.top].toSorted());
  expect(Object.keys(value['limits']!).toSorted()).toEqual([...configNames.limits].toSorted());
  const config = parsed(value);
  expect({ ...config, listen: [] }).toEqual(parsed({}));
  const [mqtt, ws] = config['listen'] as { lenientReceiveMaximum: boolean; versions: number[] }[];
  expect(mqtt).toMatchObject({ lenientReceiveMaximum: false, versions: [3, 4, 5] });
  expect(ws).toMatchObject({ url: { scheme: 'ws', port: 8080, path: '/mqtt' } });
});

test('the variables of the page are read, and those of all keys are on it', () => {
  const variables = page.rows('variable').flatMap((row) => codeWords(row['variable']));
  for (const name of writtenNames.top.keys()) {
    if (name !== 'limits') expect(variables).toContain(`DUNLIN_${name.toUpperCase()}`);
  }
  const others = ['DUNLIN_CONFIG', 'NO_COLOR'];
  for (const variable of variables.filter((name) => !others.includes(name))) {
    const source = fromEnvironment({ [variable]: '1' });
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
