import type { Socket } from 'node:net';
import type { Peer } from '../session/network-connection.js';

const IPV4_IN_IPV6 = '::ffff:';

/**
 * Who is at the other end; an IPv4 client of a dual-stack listener is named by its IPv4 address.
 */
export function peerOf(socket: Socket, listener: string): Peer {
  const remote = socket.remoteAddress ?? 'unknown';
  const host = remote.startsWith(IPV4_IN_IPV6) ? remote.slice(IPV4_IN_IPV6.length) : remote;
  const shown = host.includes(':') ? `[${host}]` : host;
  return { address: `${shown}:${socket.remotePort ?? 0}`, host, listener };
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
