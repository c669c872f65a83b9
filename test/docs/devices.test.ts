import { expect, test } from 'vitest';
import { parseConfig } from '../../src/server/config.js';
import { parseConfigFile } from '../../src/server/config-file.js';
import { Statistics } from '../../src/session/statistics.js';
import { codeWords, Page } from './page.js';

const page = new Page('docs/devices.md');

function section(heading: string): string {
  const [, text] = page.text.split(`\n## ${heading}\n`);
  return text!.split('\n## ')[0]!;
}

test.each(page.code('yaml'))('an example is a configuration', (example) => {
  const source = parseConfigFile('dunlin.yaml', example);
  expect(source.faults).toEqual([]);
  expect(parseConfig(source.value)).toHaveProperty('devices');
});

test('every counter that is named exists', () => {
  const known = new Set(Object.keys(new Statistics()));
  const named = codeWords(section('Counters')).filter((word) => word !== 'statistics');
  expect(named.length).toBeGreaterThan(10);
  expect(named.filter((word) => !known.has(word))).toEqual([]);
});

test('every event of the table is one of the log, every switch a setting', () => {
  const events = new Page('docs/operations.md').rows('event').map((row) => row['event']);
  const settings = new Page('docs/configuration.md').rows('key').map((row) => row['key']);
  const rows = page.rows('what').filter((row) => row['switch'] !== undefined);
  expect(rows.length).toBeGreaterThan(5);
  for (const row of rows) {
    for (const event of codeWords(row['event'])) expect(events).toContain(`\`${event}\``);
    for (const key of codeWords(row['switch'])) expect(settings).toContain(`\`${key}\``);
  }
});
