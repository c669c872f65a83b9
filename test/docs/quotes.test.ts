import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { LevelEngine } from '../../src/disk/level-engine.js';
import { fileSystemError } from '../../src/disk/store-open-error.js';
import { createBroker, StartError } from '../../src/index.js';
import { Batch } from '../../src/store/engine.js';
import { Family, sessionKey } from '../../src/store/key.js';
import { repositoryFolder } from '../support/build-if-stale.js';
import { Page } from './page.js';

const quotes = ['docs/operations.md', 'docs/store.md'].flatMap((path) => new Page(path).quotes());
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dunlin-quotes-'));
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** The quotations of the pages that begin or end like this. */
function quotesWith(part: string): string[] {
  const found = quotes.filter((quote) => quote.includes(part));
  expect(found.length).toBeGreaterThan(0);
  return found.map((quote) => quote.replaceAll('/var/lib/dunlin', folder));
}

async function refusal(): Promise<string> {
  const error = await createBroker({ data: folder }).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(StartError);
  return (error as StartError).sentences.join('\n');
}

async function expectRefused(part: string): Promise<void> {
  const sentence = await refusal();
  for (const quote of quotesWith(part)) expect(quote).toBe(sentence);
}

async function createStore(batch: Batch = new Batch()): Promise<void> {
  const engine = await LevelEngine.open({ folder, durability: 'power' });
  if (batch.length > 0) await new Promise<unknown>((resolve) => engine.write(batch, resolve));
  await engine.close();
}

test('a folder that is open elsewhere', async () => {
  const broker = await createBroker({ data: folder });
  await expectRefused('is open in another process');
  await broker.close();
});

test('a folder of a newer version', async () => {
  await createStore();
  const marker = join(folder, 'DUNLIN');
  const [line] = new Page('docs/store.md').code('');
  expect(await readFile(marker, 'utf8')).toBe(line);
  await writeFile(marker, 'dunlin store, format 2\n');
  await expectRefused('has format 2');
});

test('a folder of something else', async () => {
  await writeFile(join(folder, 'x'), '');
  await expectRefused('is not a store of this broker');
});

test('a damaged record', async () => {
  const batch = new Batch();
  batch.put(sessionKey(Family.Session, 1), Uint8Array.of(1, 0xff));
  await createStore(batch);
  await expectRefused("The store's record S");
});

test('a table that is cut off', async () => {
  const batch = new Batch();
  batch.put(sessionKey(Family.Removed, 1), Uint8Array.of(1));
  await createStore(batch);
  await createStore();
  const table = (await readdir(folder)).find((name) => name.endsWith('.ldb'))!;
  await truncate(join(folder, table), 100);
  const quote = quotesWith('is cut off')[0]!;
  expect(await refusal()).toBe(quote.replace(/\d+\.ldb/, table));
});

test('rights that are missing and a disk that is full', () => {
  for (const quote of quotesWith('EACCES')) {
    const cause = new Error(/\((EACCES.*)\)/.exec(quote)![1]);
    expect(fileSystemError(folder, cause).message).toBe(quote);
  }
  for (const quote of quotesWith('cannot be opened because the disk is full')) {
    expect(fileSystemError(folder, new Error('ENOSPC')).message).toBe(quote);
  }
});

test('a disk that fills up', async () => {
  const source = await readFile(join(repositoryFolder, 'src/disk/level-engine.ts'), 'utf8');
  const joined = source.replace(/['`] \+\n\s+['`]/g, '').replace(`\${what}`, 'written');
  for (const quote of quotesWith('could not be written because the disk is full')) {
    expect(joined).toContain(quote.replace(folder, `\${folder}`));
  }
});
