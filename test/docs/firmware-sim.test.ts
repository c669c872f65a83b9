import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { expect, test } from 'vitest';
import { addRunOptions } from '../../firmware-sim/cli/run-command.js';
import { libraries } from '../../firmware-sim/device/libraries.js';
import { radios } from '../../firmware-sim/energy/radios.js';
import { linkProfiles } from '../../firmware-sim/link/profiles.js';
import { misfits } from '../../firmware-sim/misfit/misfits.js';
import { scenarios } from '../../firmware-sim/scenarios/catalog.js';
import { repositoryFolder } from '../support/build-if-stale.js';

const text = readFileSync(join(repositoryFolder, 'docs/firmware-sim.md'), 'utf8');

function rowsWith(cell: string): string[] {
  return text.split('\n').filter((line) => line.startsWith('| ') && line.includes(cell));
}

test('every behaviour, link and radio has a row with its source', () => {
  for (const { name, source } of [...libraries, ...linkProfiles, ...radios]) {
    const told = rowsWith(`| \`${name}\` |`).filter((row) => row.includes(source));
    expect(told.length, name).toBe(1);
  }
});

test('links are told as they are', () => {
  for (const { name, upBytesPerSecond, latencyMs } of linkProfiles) {
    const row = rowsWith(`| \`${name}\` |`)[0]!;
    const rate = Number.isFinite(upBytesPerSecond) ? String(upBytesPerSecond) : 'no limit';
    expect(row).toContain(`| ${rate} / `);
    expect(row).toContain(`| ${latencyMs}, `);
  }
});

test('every scenario has a row', () => {
  for (const { number, name } of scenarios) {
    expect(rowsWith(`| ${number} | \`${name}\` |`).length, name).toBe(1);
  }
});

test('every flag has a row', () => {
  const visible = addRunOptions(new Command()).options.filter(({ hidden }) => !hidden);
  expect(visible.length).toBeGreaterThan(8);
  for (const { flags } of visible) expect(rowsWith(`| \`${flags}\` |`).length, flags).toBe(1);
});

test('every misfit has a row', () => {
  for (const { name, does } of misfits) expect(rowsWith(`| \`${name}\` | ${does}`).length).toBe(1);
});

test('as many scenarios and behaviours are told of everywhere', () => {
  const read = (path: string): string => readFileSync(join(repositoryFolder, path), 'utf8');
  const [readme, changes] = ['README.md', 'CHANGELOG.md'].map((path) =>
    read(path).replaceAll(/\s+/g, ' '),
  );
  expect(scenarios.length).toBe(15);
  expect(readme).toContain('fifteen scenarios with what must hold in each');
  expect(readme).toMatch(/`npx vitest run test\/firmware-sim`: .* \| 15 scenarios, 13 of them/);
  expect(changes).toContain('fifteen scenarios against any broker');
  expect(libraries.length).toBe(22);
  expect(readme).toContain('twenty-two behaviours');
});
