import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { repositoryFolder } from '../support/build-if-stale.js';
import { codeWords, Page } from './page.js';

const page = new Page('docs/security.md');
const rows = page.rows('attack');
const operations = new Page('docs/operations.md');

test('each row of the table names a test', () => {
  const lost = rows.filter((row) => {
    const file = codeWords(row['test'])[0]!;
    const name = row['test']!.slice(row['test']!.indexOf(': ') + 2);
    const path = join(repositoryFolder, `test/attacks/${file}.test.ts`);
    return !readFileSync(path, 'utf8').includes(name);
  });
  expect(lost).toEqual([]);
  expect(rows.length).toBeGreaterThan(30);
});

test('its events and settings are those of the other pages', () => {
  const known = operations.rows('event').flatMap((row) => codeWords(row['event']));
  const events = rows.flatMap((row) => codeWords(row['log']));
  expect(events.filter((event) => !known.includes(event))).toEqual([]);
  const keys = new Page('docs/configuration.md')
    .rows('key')
    .flatMap((row) => codeWords(row['key']));
  const settings = rows
    .flatMap((row) => codeWords(row['what bounds it']))
    .flatMap((name) => name.split('.'))
    .filter((name) => /^[a-z]+_[a-z_]+$/.test(name));
  expect(settings.filter((name) => !keys.includes(name))).toEqual([]);
  expect(settings.length).toBeGreaterThan(15);
});
