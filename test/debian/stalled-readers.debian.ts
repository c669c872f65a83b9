import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, expect, test } from 'vitest';
import { canHaveSmallWindows } from '../../firmware-sim/cli/small-windows.js';
import type { ScenarioResult } from '../../firmware-sim/scenario/run.js';
import { buildIfStale, repositoryFolder } from '../support/build-if-stale.js';

const run = promisify(execFile);
const main = join(repositoryFolder, 'dist/firmware-sim/main.js');
const MINUTES_MAX = 10;
const OUTPUT_BYTES_MAX = 10_000_000;

beforeAll(buildIfStale);

/**
 * As people run it: the program looks for a network of its own (`unshare`), in which the kernel
 * buffers as little for a device as a small device does.
 */
async function stalledReaders(...flags: readonly string[]): Promise<ScenarioResult> {
  const words = ['--scenario', '6', '--scale', 'ci', '--quiet', '--json', '-', ...flags];
  const options = { timeout: MINUTES_MAX * 60_000, maxBuffer: OUTPUT_BYTES_MAX };
  const { stdout } = await run(process.execPath, [main, ...words], options).catch(
    // What its clock says may fail on a busy machine; the report tells what else did.
    (error: { readonly stdout: string }) => error,
  );
  const report = JSON.parse(stdout) as { readonly scenarios: readonly ScenarioResult[] };
  return report.scenarios[0]!;
}

/** Clocks and the memory of a process say nothing on a machine that does other things too. */
const OF_THE_MACHINE: ReadonlySet<string> = new Set(['ms', 's', 'bytes', 'times']);

function failuresOf({ criteria, error }: ScenarioResult): readonly unknown[] {
  if (error !== undefined) return [error];
  return criteria.filter(({ pass, unit }) => pass === false && !OF_THE_MACHINE.has(unit));
}

test.each([
  ['as they are', []],
  ['byte by byte', ['--byte-split']],
  // The form for machines that allow no namespaces: the kernel's own buffers are left out.
  ['where the kernel buffers megabytes', ['--in-small-windows']],
])('devices that stop reading, %s', { timeout: MINUTES_MAX * 60_000 }, async (_name, flags) => {
  const result = await stalledReaders(...flags);
  expect(failuresOf(result)).toEqual([]);
  const isSmall = canHaveSmallWindows() && !flags.includes('--in-small-windows');
  if (!isSmall) process.stdout.write('stalled readers ran without small windows\n');
  expect(result.measurements['smallWindows']).toBe(isSmall);
  // Somebody looked at what counts.
  const kept = result.criteria.find(({ name }) => name === 'kept for each, and delivered late');
  expect(kept?.measured).toBeGreaterThan(0);
});
