import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** What Linux knows of a TCP connection. */
export interface SystemSocket {
  readonly noDelay: boolean;
  /** Silence after which it asks whether the other end exists; 0 where it never does. */
  readonly probeSeconds: number;
  /** Segments with data that were sent so far. */
  readonly dataSegmentsSent: number;
}

/** Reads the options of the socket that it was given as descriptor 3; Perl is part of each Debian. */
const ASK = `
use Socket qw(IPPROTO_TCP TCP_NODELAY SOL_SOCKET SO_KEEPALIVE);
open(my $socket, '+<&=', 3) or die "descriptor 3: $!";
my $no_delay = unpack('i', getsockopt($socket, IPPROTO_TCP, TCP_NODELAY));
my $probes = unpack('i', getsockopt($socket, SOL_SOCKET, SO_KEEPALIVE));
my $idle = unpack('i', getsockopt($socket, IPPROTO_TCP, 4));
my $tcp_info = getsockopt($socket, IPPROTO_TCP, 11);
print join(' ', $no_delay, $probes ? $idle : 0, unpack('x156 L', $tcp_info));
`;

/** Of a connection whose one end is in this process, asked for by the port of either end. */
export function systemSocket(localPort: number, remotePort: number): SystemSocket {
  const descriptor = descriptorOf(inodeOf(localPort, remotePort));
  const stdio = ['ignore', 'pipe', 'pipe', descriptor] as const;
  const { status, stdout, stderr } = spawnSync('perl', ['-e', ASK], { stdio: [...stdio] });
  if (status !== 0) throw new Error(`perl could not ask the system: ${String(stderr)}`);
  const [noDelay, probeSeconds, dataSegmentsSent] = String(stdout).split(' ').map(Number);
  return {
    noDelay: noDelay !== 0,
    probeSeconds: probeSeconds!,
    dataSegmentsSent: dataSegmentsSent!,
  };
}

/** How many connections may wait for this listening port; undefined where `ss` is missing. */
export function listenBacklog(port: number): number | undefined {
  const { status, stdout } = spawnSync('ss', ['-Hltn', `sport = :${port}`]);
  return status === 0 ? Number(String(stdout).trim().split(/\s+/)[2]) : undefined;
}

function inodeOf(localPort: number, remotePort: number): string {
  const hex = (port: number) => `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const lines = readFileSync('/proc/net/tcp', 'ascii').split('\n');
  for (const line of lines) {
    const fields = line.trim().split(/\s+/);
    const isIt = fields[1]?.endsWith(hex(localPort)) && fields[2]?.endsWith(hex(remotePort));
    if (isIt && fields[9] !== undefined && fields[9] !== '0') return fields[9];
  }
  throw new Error(`no connection between the ports ${localPort} and ${remotePort}`);
}

function descriptorOf(inode: string): number {
  for (const descriptor of readdirSync('/proc/self/fd')) {
    try {
      if (readlinkSync(`/proc/self/fd/${descriptor}`) === `socket:[${inode}]`) {
        return Number(descriptor);
      }
    } catch {
      // It was the descriptor of the folder itself.
    }
  }
  throw new Error(`this process has no socket with the inode ${inode}`);
}
