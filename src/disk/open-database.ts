import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Level } from 'level';
import { findDamage } from './log-check.js';
import {
  isMarkedUnsynced,
  type MarkerState,
  markBeingCreated,
  markReady,
  markUnsynced,
  readMarker,
  syncToDisk,
  unmarkUnsynced,
} from './store-marker.js';
import { damaged, fileSystemError, StoreOpenError } from './store-open-error.js';
import { cutOffTables, isUnchanged } from './table-check.js';

export type Database = Level<Uint8Array, Uint8Array>;

/** Bytes as they are: the encodings of the library make a view of each key and value. */
const AS_IT_IS = {
  name: 'as-it-is',
  format: 'buffer',
  encode: (bytes: Uint8Array): Buffer => bytes as Buffer,
  decode: (bytes: Buffer): Uint8Array => bytes,
} as const;

export interface OpenOptions {
  readonly folder: string;
  readonly writeBufferBytes: number;
  /** Every batch is synced: so damage in the logs can be told from the torn tail of a power cut. */
  readonly isSynced: boolean;
}

/**
 * Opens or creates the LevelDB of a store. Whatever is wrong rejects with a `StoreOpenError`, and
 * nothing is ever repaired: that would lose records in silence.
 */
export async function openDatabase(options: OpenOptions): Promise<Database> {
  const state = await readMarker(options.folder);
  try {
    const { folder, isSynced } = options;
    if (state !== 'ready') {
      const created = await create(options, state);
      if (!isSynced) await markUnsynced(folder);
      return created;
    }
    const wasSynced = !(await isMarkedUnsynced(folder));
    if (isSynced && wasSynced) await checkTheLogs(folder);
    if (!isSynced && wasSynced) await markUnsynced(folder);
    const database = await openWhole(options);
    if (isSynced && !wasSynced) await unmarkUnsynced(folder);
    return database;
  } catch (error) {
    if (error instanceof StoreOpenError) throw error;
    throw openErrorOf(options.folder, error);
  }
}

async function openWhole(options: OpenOptions): Promise<Database> {
  const { folder } = options;
  const cutOff = await cutOffTables(folder);
  const database = await openLevel(options, false);
  for (const table of cutOff) {
    // LevelDB has removed the tables that it never finished: those that remain were whole once.
    if (!(await isUnchanged(table))) continue;
    await database.close();
    throw damaged(folder, `${table.name} is cut off`);
  }
  return database;
}

async function create(options: OpenOptions, state: MarkerState): Promise<Database> {
  const { folder } = options;
  if (state === 'new') await markBeingCreated(folder);
  let database: Database;
  try {
    database = await openLevel(options, true);
  } catch (error) {
    // A creation that a power cut ended may leave files that do not fit. Nothing is in them yet.
    if (state === 'new' || openErrorOf(folder, error).code !== 'damaged') throw error;
    await removeLevelFiles(folder);
    database = await openLevel(options, true);
  }
  // LevelDB does not sync these itself, and without them it does not open after a power cut.
  const names = await readdir(folder);
  const manifests = names.filter((name) => name.startsWith('MANIFEST-'));
  for (const name of ['CURRENT', ...manifests]) await syncToDisk(join(folder, name));
  await syncToDisk(folder);
  await markReady(folder);
  return database;
}

async function openLevel(options: OpenOptions, createIfMissing: boolean): Promise<Database> {
  const database: Database = new Level(options.folder, {
    keyEncoding: AS_IT_IS,
    valueEncoding: AS_IT_IS,
    createIfMissing,
    compression: true,
    writeBufferSize: options.writeBufferBytes,
  });
  await database.open();
  return database;
}

/** LevelDB's own files, and no others. */
async function removeLevelFiles(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!/^(CURRENT|LOCK|LOG|LOG\.old|MANIFEST-\d+|\d+\.(log|ldb|dbtmp))$/.test(name)) continue;
    await rm(join(folder, name));
  }
}

/** Damage in the logs, which LevelDB would step over in silence. */
async function checkTheLogs(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!name.endsWith('.log')) continue;
    const at = await findDamage(join(folder, name));
    if (at !== undefined) throw damaged(folder, `${name} does not check at byte ${at}`);
  }
}

function openErrorOf(folder: string, error: unknown): StoreOpenError {
  const cause = (error as Error).cause ?? error;
  const { code, message } = cause as NodeJS.ErrnoException;
  if (code === 'LEVEL_LOCKED') {
    return new StoreOpenError(
      'locked',
      `The store in ${folder} is open in another process; stop that broker or name another folder.`,
      error,
    );
  }
  const isMissing = /No such file|does not exist/.test(message);
  if (code === 'LEVEL_CORRUPTION' || isMissing) return damaged(folder, message, error);
  return fileSystemError(folder, cause);
}
