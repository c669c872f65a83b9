import type { Socket } from 'node:net';
import type { Peer } from '../session/network-connection.js';

const IPV4_IN_IPV6 = '::ffff:';

/** How a client of a Unix domain socket is named: it has no address. */
const LOCAL = 'local';

/**
 * Who is at the other end; an IPv4 client of a dual-stack listener is named by its IPv4 address.
 */
export function peerOf(socket: Socket, listener: string): Peer {
  const remote = socket.remoteAddress;
  if (remote === undefined && /(^|\+)unix:/.test(listener)) {
    return { address: LOCAL, host: LOCAL, listener };
  }
  return { ...addressOf(remote ?? 'unknown', socket.remotePort ?? 0), listener };
}

/** An address and a port, in the two forms of a `Peer`. */
export function addressOf(remote: string, port: number): Pick<Peer, 'address' | 'host'> {
  const host = remote.startsWith(IPV4_IN_IPV6) ? remote.slice(IPV4_IN_IPV6.length) : remote;
  const shown = host.includes(':') ? `[${host}]` : host;
  return { address: `${shown}:${port}`, host };
}

/** What a socket error means, in words for the log. */
export function describeSocketError(error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case 'ECONNRESET':
      return 'the client reset the connection';
    case 'EPIPE':
      return 'the client closed the connection while bytes were on their way to it';
    case 'ETIMEDOUT':
      return 'the network stopped answering';
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return 'the client cannot be reached any more';
    default:
      return `the connection failed: ${error.message}`;
  }
}
