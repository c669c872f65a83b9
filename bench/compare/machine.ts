import { execFileSync } from 'node:child_process';
import { statfsSync } from 'node:fs';
import {
  arch,
  availableParallelism,
  cpus,
  loadavg,
  platform,
  release,
  tmpdir,
  totalmem,
} from 'node:os';

export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly system: string;
  readonly node: string;
  /** Where the stores of the brokers lie. */
  readonly temporaryFolder: string;
  /** Of the last minute, before the run: what else was going on. */
  readonly loadAverage: number;
  readonly openFilesMax: string;
}

const FILE_SYSTEMS: Readonly<Record<number, string>> = {
  61267: 'ext4',
  16914836: 'tmpfs',
  1481003842: 'xfs',
  2035054128: 'overlay',
  2435016766: 'btrfs',
};

export function describeMachine(): Machine {
  const folder = tmpdir();
  const type = statfsSync(folder).type;
  return {
    processor: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${platform()} ${release()} ${arch()}`,
    node: process.version,
    temporaryFolder: `${folder} on ${FILE_SYSTEMS[type] ?? `file system 0x${type.toString(16)}`}`,
    loadAverage: loadavg()[0] ?? 0,
    openFilesMax: output('sh', ['-c', 'ulimit -n']),
  };
}

/** The commit of a checkout; ends in `-dirty` when `src` was changed since. */
export function commitOf(folder: string): string {
  const commit = output('git', ['-C', folder, 'rev-parse', '--short', 'HEAD']);
  const changes = output('git', ['-C', folder, 'status', '--porcelain', '--', 'src']);
  return changes === '' ? commit : `${commit}-dirty`;
}

function output(program: string, args: readonly string[]): string {
  try {
    return execFileSync(program, args, {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return 'unknown';
  }
}
