import { randomBytes } from 'node:crypto';
import { chmod, chown, open, readFile, realpath, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { ExitCode, StartError } from '../exit-code.js';

const OWNER_ONLY = 0o600;
const PERMISSIONS = 0o777;

/** The text of a file that is there; undefined when it is not. */
export async function readSecretFile(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw failure(path, 'read', error);
  }
}

/**
 * Writes all of the file or nothing, also when the machine stops meanwhile. A new one can be read
 * by its owner alone; one that was there keeps its owner and permissions.
 */
export async function writeSecretFile(path: string, text: string): Promise<void> {
  try {
    await replace(path, text);
  } catch (error) {
    throw failure(path, 'written', error);
  }
}

async function replace(path: string, text: string): Promise<void> {
  const target = await realpath(path).catch(() => path);
  const old = await stat(target).catch((error: unknown) => {
    if (isAbsent(error)) return undefined;
    throw error;
  });
  const folder = dirname(target);
  const name = `.${basename(target)}.${randomBytes(6).toString('hex')}`;
  const temporary = join(folder, name);
  try {
    const file = await open(temporary, 'wx', OWNER_ONLY);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    if (old !== undefined) {
      const { uid, gid } = await stat(temporary);
      if (old.uid !== uid || old.gid !== gid) await chown(temporary, old.uid, old.gid);
      await chmod(temporary, old.mode & PERMISSIONS);
    }
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncFolder(folder);
}

/** The new name is on the disk too, where the system can be told so. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r').catch(() => undefined);
  await handle?.sync().catch(() => {});
  await handle?.close();
}

function isAbsent(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT';
}

function failure(path: string, done: string, error: unknown): StartError {
  const { message } = error as Error;
  return new StartError(ExitCode.Failure, [`${path} cannot be ${done}: ${message}`], error);
}
