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
  const ofBroker = connectionsOf(table).filter(({ local }) => local === brokerPort);
  return new Map(ofBroker.map(({ remote, sendBytes }) => [remote, sendBytes]));
}

/** The same for devices of this machine: what has arrived for them and they have not read. */
export function receiveQueues(
  brokerPort: number,
  table: string | undefined = tcpTable(),
): Map<number, number> | undefined {
  if (table === undefined) return undefined;
  const ofDevices = connectionsOf(table).filter(({ remote }) => remote === brokerPort);
  return new Map(ofDevices.map(({ local, receiveBytes }) => [local, receiveBytes]));
}

/** The most that the kernel takes for one connection to send; undefined where it is not told. */
export function sendBufferBytesMax(): number | undefined {
  try {
    const words = readFileSync('/proc/sys/net/ipv4/tcp_wmem', 'utf8').trim().split(/\s+/);
    return Number(words[2]);
  } catch {
    return undefined;
  }
}

interface TcpConnection {
  readonly local: number;
  readonly remote: number;
  readonly sendBytes: number;
  readonly receiveBytes: number;
}

function connectionsOf(table: string): TcpConnection[] {
  return table.split('\n').flatMap((line) => {
    // sl local_address rem_address st tx_queue:rx_queue ...
    const [, local, remote, , counts] = line.trim().split(/\s+/);
    const [send, receive] = counts?.split(':') ?? [];
    if (local === undefined || remote === undefined || receive === undefined) return [];
    const bytes = {
      sendBytes: Number.parseInt(send!, 16),
      receiveBytes: Number.parseInt(receive, 16),
    };
    return Number.isNaN(bytes.sendBytes)
      ? []
      : [{ local: portOf(local), remote: portOf(remote), ...bytes }];
  });
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
