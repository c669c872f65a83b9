import { copyFile, mkdir, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { LevelEngine } from '../../src/disk/level-engine.js';
import { count, openError, write } from './engine-writes.js';
import { temporaryFolder } from './fixtures.js';

const DURABILITY = 'power';

/** A store whose writes are still in its log, as at a crash. */
async function storeWithLog(
  writes: number,
  valueBytes = 100,
  durability: 'power' | 'process' = DURABILITY,
): Promise<string> {
  const folder = await temporaryFolder();
  const copy = await temporaryFolder();
  const engine = await LevelEngine.open({ folder, durability });
  await write(engine, 0, writes, valueBytes);
  for (const name of await readdir(folder)) await copyFile(join(folder, name), join(copy, name));
  await engine.close();
  return copy;
}

async function fileNamed(folder: string, pattern: RegExp): Promise<string> {
  const name = (await readdir(folder)).find((each) => pattern.test(each));
  return join(folder, name!);
}

/** Every file's name and bytes, LevelDB's own lock and diary apart. */
async function contents(folder: string): Promise<Record<string, string>> {
  const all: Record<string, string> = {};
  for (const name of (await readdir(folder)).sort()) {
    if (name.startsWith('LOG') || name === 'LOCK') continue;
    all[name] = (await readFile(join(folder, name))).toString('hex');
  }
  return all;
}

describe('opening a store', () => {
  it('makes the folder, marks it, and finds everything again', async () => {
    const folder = join(await temporaryFolder(), 'deep', 'store');
    const engine = await LevelEngine.open({ folder, durability: DURABILITY });
    expect(await readFile(join(folder, 'DUNLIN'), 'utf8')).toBe('dunlin store, format 1\n');
    await write(engine, 0, 3);
    await engine.close();
    const again = await LevelEngine.open({ folder, durability: DURABILITY });
    expect(await count(again)).toBe(3);
    await again.close();
  });

  it('takes the empty root of a disk for a new store', async () => {
    const folder = await temporaryFolder();
    await mkdir(join(folder, 'lost+found'));
    const engine = await LevelEngine.open({ folder, durability: DURABILITY });
    await engine.close();
  });

  it('refuses a folder with other files and leaves it alone', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'photo.jpg'), 'x');
    const error = await openError(folder);
    expect(error.code).toBe('not-a-store');
    expect(error.message).toContain(folder);
    expect(await readdir(folder)).toEqual(['photo.jpg']);
  });

  it('refuses a path that is a file', async () => {
    const file = join(await temporaryFolder(), 'file');
    await writeFile(file, 'x');
    expect((await openError(file)).code).toBe('not-a-store');
    expect((await openError(join(file, 'below'))).code).toBe('not-a-store');
  });

  it('refuses a store that is open already, and does it no harm', async () => {
    const folder = await temporaryFolder();
    const engine = await LevelEngine.open({ folder, durability: DURABILITY });
    expect((await openError(folder)).code).toBe('locked');
    await write(engine, 0, 3);
    expect(await count(engine)).toBe(3);
    await engine.close();
  });

  it('refuses a newer format without touching it', async () => {
    const folder = await storeWithLog(3);
    await writeFile(join(folder, 'DUNLIN'), 'dunlin store, format 2\n');
    const before = await contents(folder);
    const error = await openError(folder);
    expect(error.code).toBe('newer-format');
    expect(await contents(folder)).toEqual(before);
  });

  it('begins again where a creation was cut short', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'DUNLIN'), 'dunlin store, format 1, being created\n');
    await writeFile(join(folder, 'CURRENT'), 'MANIFEST-000001\n');
    await writeFile(join(folder, 'MANIFEST-000001'), '');
    const engine = await LevelEngine.open({ folder, durability: DURABILITY });
    await write(engine, 0, 3);
    expect(await count(engine)).toBe(3);
    await engine.close();
    expect(await readFile(join(folder, 'DUNLIN'), 'utf8')).toBe('dunlin store, format 1\n');
  });
});

describe('a store after a power cut', () => {
  it('opens with a torn tail of the log, wherever it is torn', async () => {
    for (const [cut, whole] of [
      [1, 19],
      [60, 19],
      [130, 18],
      [300, 17],
    ] as const) {
      const folder = await storeWithLog(20);
      const log = await fileNamed(folder, /\.log$/);
      await truncate(log, (await readFile(log)).length - cut);
      const engine = await LevelEngine.open({ folder, durability: DURABILITY });
      expect(await count(engine)).toBe(whole);
      await engine.close();
    }
  });

  it('opens with a tail of zeros or of rubbish', async () => {
    for (const fill of [0, 0xa5]) {
      const folder = await storeWithLog(20);
      const log = await fileNamed(folder, /\.log$/);
      const bytes = await readFile(log);
      await writeFile(log, Buffer.concat([bytes, Buffer.alloc(100_000, fill)]));
      const engine = await LevelEngine.open({ folder, durability: DURABILITY });
      expect(await count(engine)).toBe(20);
      await engine.close();
    }
  });
});

describe('a damaged store', () => {
  /** In the log, before what was written last. */
  async function damage(folder: string): Promise<void> {
    const log = await fileNamed(folder, /\.log$/);
    const bytes = await readFile(log);
    bytes[50_000] = bytes[50_000]! ^ 0xff;
    await writeFile(log, bytes);
  }

  async function expectDamaged(folder: string): Promise<void> {
    const before = await contents(folder);
    const error = await openError(folder);
    expect(`${error.code}: ${error.message}`).toMatch(/^damaged: .*backup/);
    // Refused a second time as well: nothing was repaired behind our back.
    expect((await openError(folder)).code).toBe('damaged');
    for (const [name, bytes] of Object.entries(before)) {
      if (/\.ldb$|CURRENT|MANIFEST/.test(name)) expect((await contents(folder))[name]).toBe(bytes);
    }
  }

  it('is refused when its log is damaged before what was acknowledged last', async () => {
    const folder = await storeWithLog(300, 1000);
    await damage(folder);
    await expectDamaged(folder);
  });

  it('is opened with a gap that a power cut left of batches that were not synced', async () => {
    const folder = await storeWithLog(300, 1000, 'process');
    await damage(folder);
    expect(await readdir(folder)).toContain('UNSYNCED');
    const engine = await LevelEngine.open({ folder, durability: 'power' });
    expect(await count(engine)).toBeGreaterThan(10);
    expect(await readdir(folder)).not.toContain('UNSYNCED');
    await engine.close();
  });

  it('is refused without CURRENT, with an empty one, and with one that points nowhere', async () => {
    for (const text of ['', 'MANIFEST-999999\n', 'rubbish']) {
      const folder = await storeWithLog(3);
      await writeFile(join(folder, 'CURRENT'), text);
      await expectDamaged(folder);
    }
  });

  it('is refused with an empty or a damaged MANIFEST', async () => {
    for (const kind of ['empty', 'flipped'] as const) {
      const folder = await storeWithLog(3);
      const manifest = await fileNamed(folder, /^MANIFEST/);
      const bytes = await readFile(manifest);
      bytes[10] = bytes[10]! ^ 0xff;
      await writeFile(manifest, kind === 'empty' ? '' : bytes);
      await expectDamaged(folder);
    }
  });

  it('is refused when a table is missing or cut off', async () => {
    const folder = await temporaryFolder();
    for (let i = 0; i < 3; i++) {
      const engine = await LevelEngine.open({ folder, durability: DURABILITY });
      await write(engine, i * 10, i * 10 + 10);
      await engine.close();
    }
    const table = await fileNamed(folder, /\.ldb$/);
    await truncate(table, (await readFile(table)).length - 20);
    expect((await openError(folder)).code).toBe('damaged');
    expect((await openError(folder)).code).toBe('damaged');
    await rm(table);
    expect((await openError(folder)).code).toBe('damaged');
  });
});
