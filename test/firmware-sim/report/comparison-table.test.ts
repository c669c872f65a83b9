import { expect, test } from 'vitest';
import { comparisonTable, comparisonText } from '../../../firmware-sim/report/comparison-table.js';
import { atLeast, atMost } from '../../../firmware-sim/scenario/criterion.js';
import type { ScenarioResult } from '../../../firmware-sim/scenario/run.js';

function result(name: string, telling: string, ...criteria: ScenarioResult['criteria']) {
  const pass = criteria.every((criterion) => criterion.pass !== false);
  const base = { number: 1, seconds: 1, broker: 'b', measurements: {}, repeat: '' };
  return { ...base, name, telling, criteria, pass };
}

test('a row for each scenario, a column for each broker, and what did not hold', () => {
  const columns = [
    {
      kind: 'one',
      version: '1.0',
      setUp: 'defaults',
      scenarios: [
        result('storm', '5 of 5', atLeast('those that arrive', 'messages', 5, 5)),
        result('day', 'nobody can look', atMost('memory', 'bytes', 5, undefined)),
      ],
    },
    {
      kind: 'other',
      version: '2.0',
      setUp: 'one | two',
      scenarios: [
        result('storm', '0 of 5', atLeast('those that arrive', 'messages', 5, 0)),
        result('day', 'never', atMost('wait', 's', 1_500, Number.NaN)),
      ],
    },
  ];
  const report = {
    ...{ brokers: columns, small: ['day'], startedAt: '2030-01-02T03:04:05Z', minutes: 4.2 },
    ...{ seed: 1, scale: 'full', byteSplit: false, machine: '2 cores' },
  };
  expect(comparisonText(report).split('\n')).toEqual([
    '| # | scenario | one 1.0 | other 2.0 |',
    '| --- | --- | --- | --- |',
    '| 1 | `storm` | pass: 5 of 5 | **fail**: 0 of 5 |',
    '| 1 | `day` (small) | pass: nobody can look | **fail**: never |',
    '|  | passed | **2 of 2** | **0 of 2** |',
    '',
    'One run on 2030-01-02, 4 minutes: seed 1, full scale; 2 cores.',
    '',
    '- other 2.0, `storm`: those that arrive: 0 messages, at least 5.',
    '- other 2.0, `day`: wait: never s, at most 1,500.',
    '',
    '- one 1.0: defaults.',
    '- other 2.0: one | two.',
  ]);
});

test('what a broken scenario says does not break the table', () => {
  const broke: ScenarioResult = { ...result('storm', 'broke: a | b\nc'), pass: false, error: 'x' };
  const column = { kind: 'one', version: '1', setUp: 'defaults', scenarios: [broke] };
  const other = { kind: 'two', version: '2', setUp: 'defaults', scenarios: [] };
  const text = comparisonTable({ brokers: [column, other], small: [] });
  expect(text).toContain('| **fail**: broke: a / b c | not played |');
});
