import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { benchSections, headlineSections, replaceSections } from '../../bench/compare/document.js';
import { readResults } from '../../bench/compare/saved-results.js';

const folder = mkdtempSync(join(tmpdir(), 'dunlin-tables-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function run(name: string, dunlin: number, ...mosquitto: (readonly [string, number])[]): unknown {
  const one = (brokerMicroseconds: number) => [{ brokerMicroseconds, perSecond: 1e6, p50Ms: 1 }];
  const others = mosquitto.map(([broker, cost]) => [broker, one(cost)]);
  return { name, about: '', runs: { dunlin: one(dunlin), ...Object.fromEntries(others) } };
}

function saved(name: string, results: readonly unknown[]): string {
  const file = join(folder, name);
  const machine = {
    processor: 'a processor',
    cores: 2,
    system: 'linux',
    node: 'v20',
    temporaryFolder: '/tmp on ext4',
    loadAverage: 0.5,
  };
  const about = {
    commit: 'abc',
    machine,
    rounds: 2,
    seconds: 3,
    warmUpSeconds: 1,
    pinning: 'none',
  };
  const more = { versions: { mosquitto: '2.0' }, setups: { dunlin: `set in ${name}` }, results };
  writeFileSync(file, JSON.stringify({ ...about, ...more }));
  return file;
}

describe('the tables of the documents', () => {
  it('come from several runs, the last of which counts for a case', () => {
    const first = saved('first.json', [
      run('pairs-qos1', 1, ['mosquitto', 9]),
      run('pairs-qos0', 1, ['mosquitto', 20]),
    ]);
    const second = saved('second.json', [run('pairs-qos1', 2, ['mosquitto', 14])]);
    const sections = benchSections(readResults([first, second]));
    const costs = sections.get('costs')!.split('\n');
    expect(costs.map((line) => line.split('|')[1]!.trim())).toEqual([
      'case',
      expect.stringMatching(/^-+$/),
      'pairs-qos0',
      'pairs-qos1',
    ]);
    expect(costs[3]).toMatch(/2\.00 \| +14\.00 \| +7\.0 \|$/);
    expect(sections.get('goals')).toMatch(/pairs-qos1 \| +7\.00 \| MISSED/);
    expect(sections.get('runs')).toContain('second.json');
    expect(sections.get('settings')).toContain('set in second.json');
  });

  it('judge a goal against the Mosquitto that is better at the case', () => {
    const rivals = [
      ['mosquitto', 9],
      ['mosquitto-nodelay', 12],
    ] as const;
    const results = [run('pairs-qos1', 1, ...rivals), run('pairs-window-1', 9.5, ...rivals)];
    const file = saved('one.json', results);
    const goals = benchSections(readResults([file])).get('goals')!;
    expect(goals).toMatch(/pairs-qos1 \| +9\.00 \| +met/);
    expect(goals).toMatch(/processor time +\| +pairs-window-1 \| +1\.06 \| MISSED/);
  });

  it('replace what stands between their marks, and nothing else', () => {
    const text = 'a\n<!-- bench:costs -->\nold\n<!-- /bench:costs -->\nb';
    const replaced = replaceSections(text, new Map([['costs', 'new']]), 'x.md');
    expect(replaced).toBe('a\n<!-- bench:costs -->\n\nnew\n\n<!-- /bench:costs -->\nb');
    expect(() => replaceSections(text, new Map([['rates', '']]), 'x.md')).toThrow(/x\.md has no/);
  });

  it('have their places in the documents', () => {
    const file = saved('one.json', [run('pairs-qos0', 1)]);
    const results = readResults([file]);
    const documents = [
      ['README.md', headlineSections(results)],
      ['bench/README.md', benchSections(results)],
    ] as const;
    for (const [name, sections] of documents) {
      expect(() => replaceSections(readFileSync(name, 'utf8'), sections, name)).not.toThrow();
    }
  });
});
