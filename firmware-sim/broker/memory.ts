import { readFileSync } from 'node:fs';

/** Resident memory of a process; undefined where the system does not say. */
export function residentBytes(pid: number | undefined): number | undefined {
  if (pid === undefined) return undefined;
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1];
    return kibibytes === undefined ? undefined : Number(kibibytes) * 1024;
  } catch {
    return undefined;
  }
}

/**
 * What the kernel holds for the broker to send, for each connection by the port of its other end.
 * Undefined where the system does not say. `table`: the text of /proc/net/tcp.
 */
export function sendQueues(
  brokerPort: number,
  table: string | undefined = tcpTable(),
): Map<number, number> | undefined {
  if (table === undefined) return undefined;
  const queues = new Map<number, number>();
  for (const line of table.split('\n').slice(1)) {
    // sl local_address rem_address st tx_queue:rx_queue ...
    const [, local, remote, , counts] = line.trim().split(/\s+/);
    if (local === undefined || remote === undefined || counts === undefined) continue;
    if (portOf(local) !== brokerPort) continue;
    queues.set(portOf(remote), Number.parseInt(counts.split(':')[0]!, 16));
  }
  return queues;
}

function portOf(address: string): number {
  return Number.parseInt(address.split(':')[1] ?? '', 16);
}

function tcpTable(): string | undefined {
  try {
    return ['/proc/net/tcp', '/proc/net/tcp6'].map((file) => readFileSync(file, 'utf8')).join('');
  } catch {
    return undefined;
  }
}
