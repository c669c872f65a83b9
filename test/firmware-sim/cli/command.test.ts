import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { buildIfStale, repositoryFolder } from '../../support/build-if-stale.js';

interface Ended {
  readonly code: number | null;
  readonly output: string;
  readonly errors: string;
}

beforeAll(buildIfStale);

/** The program from its source, as a process of its own. */
function dunlinSim(...flags: string[]): Promise<Ended> {
  const main = join(repositoryFolder, 'firmware-sim/main.ts');
  const child = spawn(process.execPath, ['--import', 'tsx', main, ...flags], {
    cwd: repositoryFolder,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  let output = '';
  let errors = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    errors += chunk.toString();
  });
  return new Promise((resolve) => {
    child.once('close', (code) => resolve({ code, output, errors }));
  });
}

test('it lists its scenarios', async () => {
  const { code, output } = await dunlinSim('--list');
  expect(code).toBe(0);
  expect(output).toMatch(/^ 1 {2}oversize-poison /m);
  expect(output).toMatch(/^ 9 {2}impatient-resender /m);
});

test('a wrong flag is told in a sentence', async () => {
  const { code, errors } = await dunlinSim('--scenario', 'tea-party', '--list');
  expect([code, errors]).toEqual([2, expect.stringContaining('there is no scenario tea-party')]);
  expect(await dunlinSim('--scale', 'huge')).toMatchObject({
    code: 2,
    errors: 'dunlin-sim: --scale huge: expected one of ci, full\n',
  });
});

test('what fails ends with 1, a report, and the command that repeats it', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'dunlin-sim-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const config = join(folder, 'not-there.yaml');
  const file = join(folder, 'report.json');
  const flags = ['--broker-config', config, '--scenario', '2', '--scale', 'ci', '--seed', '7'];
  const { code, output } = await dunlinSim(...flags, '--json', file);
  expect(code).toBe(1);
  const repeat = 'npx dunlin-sim --scenario 2 --seed 7 --scale ci --start dunlin';
  expect(output).toContain(repeat);
  expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({
    pass: false,
    seed: 7,
    scenarios: [
      {
        number: 2,
        pass: false,
        error: expect.stringContaining('dunlin did not start'),
        repeat: expect.stringContaining(repeat),
      },
    ],
  });
});

test('brokers are compared in one table', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'dunlin-sim-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'comparison.json');
  const flags = ['--scenario', '4,11', '--scale', 'ci', '--quiet', '--json', file];
  const { output } = await dunlinSim('--compare', 'dunlin, aedes', ...flags);
  expect(output).toMatch(/^\| # \| scenario \| Dunlin \S+ \| aedes \S+ \|\n/);
  expect(output).toMatch(/^\| 11 \| `gateway-and-tiny` \| .*own topic in .* ms.* \| .* \|$/m);
  const results = [{ number: 4 }, { number: 11, name: 'gateway-and-tiny' }];
  expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({
    scale: 'ci',
    brokers: [
      { kind: 'dunlin', scenarios: results },
      { kind: 'aedes', scenarios: results },
    ],
  });
  // The same table again, later, for a document.
  expect((await dunlinSim('table', file)).output).toBe(output);
  const document = join(folder, 'document.md');
  const [begin, end] = ['<!-- dunlin-sim table -->', '<!-- dunlin-sim table ends -->'];
  writeFileSync(document, `before\n${begin}\nold\n${end}\nbehind\n`);
  expect((await dunlinSim('table', file, '--into', document)).code).toBe(0);
  const written = readFileSync(document, 'utf8');
  expect(written).toContain(output.split('\n\n')[0]);
  expect(written).toMatch(/^before\n<!--.*\nOne run on .*-->\nbehind\n$/s);
  expect(written).not.toContain('old');
}, 300_000);

test('a table comes from a comparison alone', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'dunlin-sim-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'other.json');
  writeFileSync(file, '{}');
  expect(await dunlinSim('table', file)).toMatchObject({
    code: 2,
    errors: expect.stringContaining('is no comparison: make one with --compare --json'),
  });
});

test('a link has flags of its own, also where a run has the same', async () => {
  const main = join(repositoryFolder, 'firmware-sim/main.ts');
  const flags = ['link', '--profile', 'lan', '--listen', '0', '--broker', 'mqtt://127.0.0.1:7'];
  const child = spawn(process.execPath, ['--import', 'tsx', main, ...flags], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  onTestFinished(() => {
    child.kill();
  });
  const said = await new Promise((resolve) => {
    child.stderr.once('data', (chunk: Buffer) => resolve(chunk.toString()));
  });
  expect(said).toMatch(/^lan between 127\.0\.0\.1:\d+ and 127\.0\.0\.1:7;/);
  expect(await dunlinSim('packet-link', '--profile', 'lan', '--loss', '2')).toMatchObject({
    code: 2,
    errors: expect.stringContaining('--loss 2: expected a number from 0 to 1'),
  });
}, 120_000);

test('a comparison starts its brokers itself', async () => {
  expect(await dunlinSim('--compare', '--broker', 'mqtt://127.0.0.1:1')).toMatchObject({
    code: 2,
    errors: expect.stringContaining('--compare starts brokers as they come'),
  });
  expect((await dunlinSim('--compare', 'dunlin,emqx')).code).toBe(2);
});
