import { readdir, readFile, readlink } from 'node:fs/promises';

const LISTENING = '0A';

export interface PortHolder {
  readonly name: string;
  readonly pid: number;
}

/** The program that listens on the port; undefined where Linux does not tell. */
export async function portHolder(port: number): Promise<PortHolder | undefined> {
  try {
    const inodes = await listeningInodes(port);
    return inodes.size === 0 ? undefined : await processHolding(inodes);
  } catch {
    return undefined;
  }
}

/** The same as `mosquitto (pid 812)`. */
export async function portOwner(port: number): Promise<string | undefined> {
  const holder = await portHolder(port);
  return holder === undefined ? undefined : `${holder.name} (pid ${holder.pid})`;
}

async function listeningInodes(port: number): Promise<Set<string>> {
  const hexPort = port.toString(16).toUpperCase().padStart(4, '0');
  const inodes = new Set<string>();
  for (const table of ['/proc/net/tcp', '/proc/net/tcp6']) {
    const text = await readFile(table, 'utf8').catch(() => '');
    for (const line of text.split('\n').slice(1)) {
      const fields = line.trim().split(/\s+/);
      const [, local, , state] = fields;
      if (state === LISTENING && local?.endsWith(`:${hexPort}`)) inodes.add(fields[9] ?? '');
    }
  }
  return inodes;
}

async function processHolding(inodes: ReadonlySet<string>): Promise<PortHolder | undefined> {
  const wanted = new Set([...inodes].map((inode) => `socket:[${inode}]`));
  for (const pid of await readdir('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    const files = await readdir(`/proc/${pid}/fd`).catch(() => []);
    for (const file of files) {
      const target = await readlink(`/proc/${pid}/fd/${file}`).catch(() => '');
      if (!wanted.has(target)) continue;
      const name = await readFile(`/proc/${pid}/comm`, 'utf8');
      return { name: name.trim(), pid: Number(pid) };
    }
  }
  return undefined;
}
