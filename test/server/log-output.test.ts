import { execFileSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { LogOutput } from '../../src/server/log-output.js';

const { O_NONBLOCK, O_RDONLY, O_WRONLY } = constants;
/** More than a pipe takes. */
const MUCH = 300_000;

/** Closed when all tests are over: what is under way meanwhile never finds another file there. */
const opened = new Set<number>();
let folder: string;
let reader: number;
let writer: number;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'dunlin-log-'));
});
afterAll(() => {
  for (const descriptor of opened) closeSync(descriptor);
  rmSync(folder, { recursive: true });
});

beforeEach(() => {
  const pipe = join(folder, `pipe-${opened.size}`);
  execFileSync('mkfifo', [pipe]);
  reader = openSync(pipe, O_RDONLY | O_NONBLOCK);
  writer = openSync(pipe, O_WRONLY | O_NONBLOCK);
  opened.add(reader).add(writer);
});

function output(waitingBytesMax = 1_000_000): LogOutput {
  return new LogOutput({ fileDescriptor: writer, waitingBytesMax, endAttempts: 2 });
}

function stopReading(): void {
  closeSync(reader);
  opened.delete(reader);
}

/** What is in the pipe now. */
function read(): string {
  const bytes = Buffer.alloc(MUCH);
  try {
    return bytes.toString('utf8', 0, readSync(reader, bytes));
  } catch (error) {
    expect(error).toMatchObject({ code: 'EAGAIN' });
    return '';
  }
}

async function readsTo(length: number): Promise<string> {
  let all = '';
  while (all.length < length) {
    all += read();
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  return all;
}

const lines = (count: number): string[] => Array.from({ length: count }, (_, i) => `line ${i}\n`);

test('every line comes, in order, also where the reader is slow', async () => {
  const log = output();
  const written = lines(20_000);
  for (const line of written) log.write(line);
  const all = written.join('');
  expect(all.length).toBeGreaterThan(65_536 * 3);
  expect(await readsTo(all.length)).toBe(all);
  log.write('later\n');
  expect(await readsTo(6)).toBe('later\n');
});

test('what waits at the end is written then', async () => {
  const log = output();
  log.write('first\n');
  expect(await readsTo(6)).toBe('first\n');
  for (const line of lines(3)) log.write(line);
  log.end();
  expect(await readsTo(21)).toMatch(/^(?=.*line 0)(?=.*line 1)(?=.*line 2)/s);
  log.write('behind the end\n');
  log.end();
  expect(read()).toBe('');
});

test('a reader that stands still keeps nobody, and costs no more than the bound', async () => {
  const log = output(1000);
  log.write('x'.repeat(900));
  log.write('y'.repeat(200_000));
  expect(await readsTo(900)).not.toContain('y');
  const full = output(MUCH);
  full.write('z'.repeat(MUCH));
  await new Promise((resolve) => setTimeout(resolve, 10));
  full.end();
  expect(await readsTo(1)).toMatch(/^z+$/);
});

test('a reader that is gone does not keep the end from coming', async () => {
  const log = output();
  log.write('first\n');
  expect(await readsTo(6)).toBe('first\n');
  stopReading();
  // Nothing has told it yet.
  log.write('nobody reads this\n');
  log.write('nor this\n');
  log.end();
});

test('nor does it matter in between', async () => {
  stopReading();
  const log = output();
  for (let i = 0; i < 3; i++) {
    log.write('nobody reads this\n');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  log.end();
});
