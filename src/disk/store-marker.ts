import { open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder } from './make-folder.js';
import { fileSystemError, StoreOpenError } from './store-open-error.js';

/**
 * The version of keys and records that this program writes; each value has its own version beside.
 */
export const STORE_FORMAT_VERSION = 1;

const MARKER = 'DUNLIN';
/** There while LevelDB's logs may have been written without syncing each batch. */
const UNSYNCED = 'UNSYNCED';
const TEXT = /^dunlin store, format (\d{1,9})(, being created)?\n$/;

/**
 * `new`: the folder is empty. `being-created`: creation was cut short, so nothing in it was ever
 * acknowledged. `ready`: a store of this format.
 */
export type MarkerState = 'new' | 'being-created' | 'ready';

/**
 * Tells from the marker file whether a folder is a store of ours, and makes the folder when there
 * is none. Refuses everything else and leaves it as it is.
 */
export async function readMarker(folder: string): Promise<MarkerState> {
  try {
    await makeFolder(folder);
    const names = await readdir(folder);
    if (names.includes(MARKER)) return parse(folder, await readFile(join(folder, MARKER), 'utf8'));
    const others = names.filter((name) => name !== 'lost+found' && !name.startsWith('.'));
    if (others.length === 0) return 'new';
    throw notAStore(folder, `it holds ${others[0]} and no ${MARKER} file`);
  } catch (error) {
    if (error instanceof StoreOpenError) throw error;
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOTDIR' || code === 'EEXIST') throw notAStore(folder, 'it is not a folder');
    throw fileSystemError(folder, error);
  }
}

/** Written before anything else of a store, so that a creation cut short is known as one. */
export async function markBeingCreated(folder: string): Promise<void> {
  await replaceMarker(folder, `dunlin store, format ${STORE_FORMAT_VERSION}, being created\n`);
}

/** Written when all files of a new store are on disk. */
export async function markReady(folder: string): Promise<void> {
  await replaceMarker(folder, `dunlin store, format ${STORE_FORMAT_VERSION}\n`);
}

/** Whether a gap in the logs may be what a power cut left, and not damage. */
export async function isMarkedUnsynced(folder: string): Promise<boolean> {
  return (await readdir(folder)).includes(UNSYNCED);
}

/** Before the first batch that is not synced. */
export async function markUnsynced(folder: string): Promise<void> {
  await writeFile(join(folder, UNSYNCED), 'opened with durability: process\n');
  await syncToDisk(join(folder, UNSYNCED));
  await syncToDisk(folder);
}

/** When no log of that time is left: LevelDB has made tables of them. */
export async function unmarkUnsynced(folder: string): Promise<void> {
  await rm(join(folder, UNSYNCED));
  await syncToDisk(folder);
}

/** Makes a file's contents, or a folder's entries, survive a power cut. */
export async function syncToDisk(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function parse(folder: string, text: string): MarkerState {
  const found = TEXT.exec(text);
  if (found === null) throw notAStore(folder, `its ${MARKER} file is of something else`);
  const version = Number(found[1]);
  if (version > STORE_FORMAT_VERSION) {
    throw new StoreOpenError(
      'newer-format',
      `The store in ${folder} has format ${version} and this broker knows formats up to ` +
        `${STORE_FORMAT_VERSION}; start the newer broker that wrote it.`,
    );
  }
  return found[2] === undefined ? 'ready' : 'being-created';
}

function notAStore(folder: string, why: string): StoreOpenError {
  return new StoreOpenError(
    'not-a-store',
    `${folder} is not a store of this broker (${why}); name an empty or a new folder.`,
  );
}

async function replaceMarker(folder: string, text: string): Promise<void> {
  const temporary = join(folder, `.${MARKER}.new`);
  const handle = await open(temporary, 'w');
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(temporary, join(folder, MARKER));
  await syncToDisk(folder);
}
