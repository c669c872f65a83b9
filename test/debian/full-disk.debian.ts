import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { LevelEngine } from '../../src/disk/level-engine.js';
import { count, openError, write } from '../disk/engine-writes.js';
import { temporaryFolder } from '../disk/fixtures.js';

const DURABILITY = 'power';

/** A file system of two megabytes: only root may mount one. */
function mountTinyDisk(folder: string): void {
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', folder]);
  expect(status, 'mount needs root').toBe(0);
}

test('a full disk fails the write with a sentence, and keeps what was acknowledged', async () => {
  const folder = await temporaryFolder();
  mountTinyDisk(folder);
  try {
    const engine = await LevelEngine.open({ folder, durability: DURABILITY });
    const outcome = await write(engine, 0, 1000, 20_000).catch((failure) => failure);
    expect(outcome.sentence).toMatch(/disk is full; free some space/);
    const acknowledged = await count(engine);
    expect(acknowledged).toBeGreaterThan(50);
    await engine.close();
    const error = await openError(folder);
    expect(error.code).toBe('full');
    spawnSync('mount', ['-o', 'remount,size=20m', folder]);
    const again = await LevelEngine.open({ folder, durability: DURABILITY });
    expect(await count(again)).toBeGreaterThanOrEqual(acknowledged);
    await again.close();
  } finally {
    spawnSync('umount', [folder]);
  }
});
