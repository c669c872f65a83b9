import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

export const repositoryFolder: string = fileURLToPath(new URL('../../', import.meta.url));
export const serverMain: string = join(repositoryFolder, 'dist/server/main.js');

/** What is compiled: where it comes from, by which settings, and a file that is there then. */
const programs = [
  { folder: 'src', settings: 'tsconfig.build.json', main: serverMain },
  {
    folder: 'firmware-sim',
    settings: 'tsconfig.firmware-sim.json',
    main: join(repositoryFolder, 'dist/firmware-sim/main.js'),
  },
] as const;

type Program = (typeof programs)[number];

const LOCK_WAIT_MS = 100;
const LOCK_WAITS_MAX = 2_400;
const LOCK_MS_MAX = 180_000;

/**
 * Compiles to `dist` what is older there than one of its source files. Test files run in
 * several processes, so a folder serves as the lock: only one of them compiles.
 */
export async function buildIfStale(): Promise<void> {
  if (!programs.some(isStale)) return;
  const lock = join(repositoryFolder, 'node_modules/.dunlin-build-lock');
  for (let waits = 0; waits < LOCK_WAITS_MAX; waits++) {
    try {
      mkdirSync(lock);
    } catch {
      removeAbandoned(lock);
      await delay(LOCK_WAIT_MS);
      continue;
    }
    try {
      for (const program of programs) if (isStale(program)) compile(program);
    } finally {
      rmdirSync(lock);
    }
    return;
  }
  throw new Error(`another process held ${lock} too long; remove it if nothing is compiling`);
}

/** Whoever compiled may have been killed and left its lock behind. */
function removeAbandoned(lock: string): void {
  const since = statSync(lock, { throwIfNoEntry: false })?.mtimeMs ?? Date.now();
  if (Date.now() - since > LOCK_MS_MAX) rmdirSync(lock);
}

function compile({ settings, main }: Program): void {
  const startedMs = Date.now();
  // Type errors are the type check's business; here only the program counts.
  const compiler = join(repositoryFolder, 'node_modules/typescript/bin/tsc');
  const result = spawnSync(process.execPath, [compiler, '-p', settings], {
    cwd: repositoryFolder,
    encoding: 'utf8',
  });
  // A source file may have changed meanwhile: what counts is that the program is new.
  const built = statSync(main, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  if (built < startedMs - 1) throw new Error(`nothing was compiled:\n${result.stdout}`);
}

function isStale({ folder, main }: Program): boolean {
  const built = statSync(main, { throwIfNoEntry: false });
  return built === undefined || newestChangeMs(join(repositoryFolder, folder)) > built.mtimeMs;
}

function newestChangeMs(folder: string): number {
  let newest = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    const changed = entry.isDirectory() ? newestChangeMs(path) : statSync(path).mtimeMs;
    newest = Math.max(newest, changed);
  }
  return newest;
}
