import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';

const watched = vi.hoisted(() => new Set<unknown>());
vi.mock('node:fs', async (importOriginal) => ({
  ...(await importOriginal<typeof import('node:fs')>()),
  watchFile: (path: string) => watched.add(path),
  unwatchFile: (path: string) => watched.delete(path),
}));

const { FileWatch } = await import('../../src/server/authentication/file-watch.js');

test('what is closed watches nothing any more, also when a read that was under way ends later', () => {
  const folder = mkdtempSync(join(tmpdir(), 'dunlin-watch-'));
  const watch = new FileWatch(() => {});
  watch.paths = [join(folder, 'a'), join(folder, 'b')];
  watch.paths = [join(folder, 'b')];
  expect([...watched]).toEqual([join(folder, 'b')]);
  watch.close();
  watch.paths = [join(folder, 'a')];
  expect([...watched]).toEqual([]);
  rmSync(folder, { recursive: true });
});
