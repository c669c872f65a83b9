import { execFile } from 'node:child_process';
import { access } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Why this machine cannot have packet links, in words; undefined when it can. */
export async function packetLinkObstacle(): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return 'network namespaces and TUN devices need root';
  if (!(await exists('/dev/net/tun'))) return 'there is no /dev/net/tun: load the tun module';
  for (const [program, from] of [
    ['ip', 'iproute2'],
    ['socat', 'socat'],
  ] as const) {
    if (!(await runs(program))) return `${program} is missing: on Debian, install ${from}`;
  }
  return undefined;
}

export async function ip(...words: readonly string[]): Promise<void> {
  await run('ip', words);
}

/** The beginning of a command line that runs the rest of it inside the namespace. */
export function insideNamespace(namespace: string): readonly [string, ...string[]] {
  return ['ip', 'netns', 'exec', namespace];
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

async function runs(program: string): Promise<boolean> {
  return run(program, ['-V']).then(
    () => true,
    () => false,
  );
}
