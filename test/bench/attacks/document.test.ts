import { expect, test } from 'vitest';
import { documented } from '../../../bench/attacks/document.js';
import type { Measured } from '../../../bench/attacks/measured.js';

const PAGE = `<!-- measured -->
Not measured yet.

| attack | what bounds it | log | quiet | attacked | × | MiB | test |
| --- | --- | --- | --- | --- | --- | --- | --- |
| Text | rules | none | – | – | – | – | \`web\`: a text frame |
| Other | rules | none | – | – | – | – | \`web\`: a flood |
`;

function waited(p99Ms: number) {
  return { count: 1, p50Ms: 0.5, p99Ms, maxMs: p99Ms };
}

function measured(test: string, p99Ms: number, growthMiB: number): Measured {
  const control = waited(1);
  return {
    file: 'web',
    test,
    quiet: waited(2),
    pulse: waited(p99Ms),
    control,
    growthMiB,
    lines: 1,
  };
}

test('the worst of the tests of a row is written down, other rows stay as they are', () => {
  const results = [measured('a text frame of one', 3, 9), measured('a text frame of two', 5, 4)];
  const page = documented(PAGE, results, 'On a machine.');
  expect(page).toContain(
    '| Text | rules | none | 0.5 / 2.0 | 0.5 / 5.0 | 2.5 | 9 | `web`: a text frame |',
  );
  expect(page).toContain('| Other | rules | none | – | – | – | – | `web`: a flood |');
  expect(page).toMatch(/^<!-- measured -->\nOn a machine\.$/m);
});
