import { access, constants, stat, statfs } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { Config } from '../config.js';
import { keepsNothing } from '../start-report.js';
import type { Finding } from './finding.js';

const PLACE = 'data';
const FREE_BYTES_MIN = 64 * 1024 * 1024;
const GROUP_AND_OTHERS_WRITE = 0o022;
const OTHERS_READ = 0o004;

/** Whether the broker can make, read and write its folder, and who else can. */
export async function checkDataFolder(config: Config): Promise<readonly Finding[]> {
  if (keepsNothing(config)) return [];
  const folder = resolve(config.data);
  const found = await stat(folder).catch((error: NodeJS.ErrnoException) => error);
  if (found instanceof Error) {
    if (found.code === 'ENOENT') return parentFindings(folder);
    return [finding('error', `${folder} cannot be read: ${found.message}`)];
  }
  if (!found.isDirectory()) {
    return [finding('error', `${folder} is no folder; name an empty or a new one`)];
  }
  const all = [await rightsOf(folder), modeOf(folder, found.mode), await roomOf(folder)];
  return all.filter((one) => one !== undefined);
}

/** A folder that is not there will be made, in the nearest one that is. */
async function parentFindings(folder: string): Promise<readonly Finding[]> {
  let parent = dirname(folder);
  while ((await stat(parent).catch(() => undefined)) === undefined) parent = dirname(parent);
  const all = [await rightsOf(parent, `${folder} is not there and cannot be made`)];
  return [...all, await roomOf(parent)].filter((one) => one !== undefined);
}

async function rightsOf(folder: string, introduction?: string): Promise<Finding | undefined> {
  try {
    await access(folder, constants.R_OK | constants.W_OK | constants.X_OK);
    return undefined;
  } catch (error) {
    const sentence = introduction ?? `${folder} cannot be read and written by this user`;
    return finding('error', `${sentence}: ${(error as Error).message}`);
  }
}

function modeOf(folder: string, mode: number): Finding | undefined {
  if ((mode & GROUP_AND_OTHERS_WRITE) !== 0) {
    const sentence = `other users of this machine can change ${folder}: chmod 700 ${folder}`;
    return finding('warning', sentence);
  }
  if ((mode & OTHERS_READ) === 0) return undefined;
  const sentence = `every user of this machine can read the messages in ${folder}: chmod 700 ${folder}`;
  return finding('warning', sentence);
}

async function roomOf(folder: string): Promise<Finding | undefined> {
  const system = await statfs(folder).catch(() => undefined);
  if (system === undefined) return undefined;
  if (system.blocks === 0) return finding('error', `${folder} is in a file system without a disk`);
  const freeBytes = system.bavail * system.bsize;
  if (freeBytes >= FREE_BYTES_MIN) return undefined;
  const freeMiB = Math.floor(freeBytes / 1024 / 1024);
  return finding('warning', `the disk of ${folder} has ${freeMiB} MiB left`);
}

function finding(severity: Finding['severity'], sentence: string): Finding {
  return { severity, place: PLACE, sentence };
}
