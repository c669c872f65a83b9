/**
 * Every attack of docs/security.md against a broker of its own, with healthy clients beside it:
 * what they wait for their messages in quiet and while it is attacked. `--write` puts the result
 * into the page, `--json FILE` into a file.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { documented } from './attacks/document.js';
import { type Measured, parseResults } from './attacks/measured.js';
import { resultTable } from './attacks/table.js';
import { commitOf, describeMachine } from './compare/machine.js';

const PAGE = 'docs/security.md';
const USAGE = `npm run bench:attacks -- [options]
  --only NAMES   test files alone, such as traffic,web (all of test/attacks)
  --json FILE    writes all results
  --write        puts them into ${PAGE}`;

function runTests(only: readonly string[], results: string): Promise<number | null> {
  const files = only.length === 0 ? ['test/attacks'] : only.map((name) => `test/attacks/${name}`);
  const args = ['node_modules/vitest/vitest.mjs', 'run', '--no-file-parallelism', ...files];
  // An attack is repeated where it is short, and many are run one after the other.
  const patience = ['--testTimeout=600000'];
  const env = { ...process.env, ATTACK_RESULTS: results };
  const child = spawn(process.execPath, [...args, ...patience], { env, stdio: 'inherit' });
  return new Promise((resolve) => child.once('close', resolve));
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      only: { type: 'string', default: '' },
      json: { type: 'string' },
      write: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return;
  }
  const folder = mkdtempSync(join(tmpdir(), 'dunlin-attacks-'));
  try {
    const file = join(folder, 'results.jsonl');
    const machine = describeMachine();
    const only = values.only.split(',').filter((name) => name !== '');
    const code = await runTests(only, file);
    const results = parseResults(readFileSync(file, 'utf8'));
    console.log(`\n${resultTable(results)}\n`);
    const run = { commit: commitOf('.'), machine, results };
    if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(run, null, 2)}\n`);
    if (values.write) writePage(results, run);
    process.exitCode = code ?? 1;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function writePage(
  results: readonly Measured[],
  run: { readonly commit: string; readonly machine: ReturnType<typeof describeMachine> },
): void {
  const { processor, cores, system, node, loadAverage } = run.machine;
  const place = `${cores} × ${processor}, ${system}, Node.js ${node}`;
  const sentence = `Commit ${run.commit} on ${place}, with a load of ${loadAverage.toFixed(1)} before.`;
  writeFileSync(PAGE, documented(readFileSync(PAGE, 'utf8'), results, sentence));
}

await main();
