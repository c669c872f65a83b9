import { open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** The last 8 bytes of each of LevelDB's tables. */
const TABLE_MAGIC = Uint8Array.of(0x57, 0xfb, 0x80, 0x8b, 0x24, 0x75, 0x47, 0xdb);

export interface CutOffTable {
  readonly name: string;
  readonly path: string;
  readonly inode: number;
  readonly modifiedMs: number;
}

/**
 * Tables without their end. A cut-off table is found when the store is opened, not when a client
 * needs it; but a table that LevelDB was writing at a crash has no end either.
 */
export async function cutOffTables(folder: string): Promise<CutOffTable[]> {
  const cutOff: CutOffTable[] = [];
  for (const name of await readdir(folder)) {
    if (!name.endsWith('.ldb')) continue;
    const path = join(folder, name);
    const handle = await open(path, 'r').catch(undefinedIfMissing);
    if (handle === undefined) continue;
    try {
      const { size, ino, mtimeMs } = await handle.stat();
      const end = new Uint8Array(TABLE_MAGIC.length);
      await handle.read(end, 0, end.length, Math.max(0, size - end.length));
      if (end.every((byte, at) => byte === TABLE_MAGIC[at])) continue;
      cutOff.push({ name, path, inode: ino, modifiedMs: mtimeMs });
    } finally {
      await handle.close();
    }
  }
  return cutOff;
}

/** Whether it is still the same file, neither removed nor written again under the same name. */
export async function isUnchanged(table: CutOffTable): Promise<boolean> {
  const found = await stat(table.path).catch(undefinedIfMissing);
  return found?.ino === table.inode && found.mtimeMs === table.modifiedMs;
}

/** Another process may have the store open and remove its files. */
function undefinedIfMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
  return undefined;
}
