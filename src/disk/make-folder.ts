import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Messages are nobody's business but the broker's. */
const OWN_MODE = 0o700;

/**
 * Makes a folder that only its owner can read, and those around it where they are missing. Step by
 * step: where a file system makes no folders at all, as /proc, Node's own way never ends.
 */
export async function makeFolder(folder: string, mode: number = OWN_MODE): Promise<void> {
  try {
    await make(folder, mode);
  } catch (error) {
    const around = dirname(folder);
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || around === folder) throw error;
    await makeFolder(around, 0o777);
    await make(folder, mode);
  }
}

async function make(folder: string, mode: number): Promise<void> {
  try {
    await mkdir(folder, mode);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}
