import { type Measured, timesQuiet } from './measured.js';
import { ms } from './table.js';

/** Columns of the table in docs/security.md that are measured. */
const QUIET = 3;
const ATTACKED = 4;
const TIMES = 5;
const MIB = 6;
const TEST = 7;
const MACHINE = /^<!-- measured -->\n[^\n]*$/m;

/** The page with what was measured in its table; rows of tests that were not run stay. */
export function documented(page: string, results: readonly Measured[], machine: string): string {
  const lines = page.split('\n').map((line) => {
    const cells = line.split('|').slice(1, -1);
    const named = /^ `([\w-]+)`: (.+) $/.exec(cells[TEST] ?? '');
    if (named === null) return line;
    const [, file, test] = named;
    const found = results.filter((each) => each.file === file && each.test.startsWith(test!));
    // Of several that differ in what is sent alone: the worst.
    const worst = found.sort((a, b) => timesQuiet(b).own - timesQuiet(a).own)[0];
    if (worst === undefined) return line;
    cells[QUIET] = ` ${ms(worst.quiet.p50Ms)} / ${ms(worst.quiet.p99Ms)} `;
    cells[ATTACKED] = ` ${ms(worst.pulse.p50Ms)} / ${ms(worst.pulse.p99Ms)} `;
    cells[TIMES] = ` ${timesQuiet(worst).own.toFixed(1)} `;
    cells[MIB] = ` ${Math.max(...found.map(({ growthMiB }) => growthMiB)).toFixed(0)} `;
    return `|${cells.join('|')}|`;
  });
  return lines.join('\n').replace(MACHINE, () => `<!-- measured -->\n${machine}`);
}
