import type { Socket } from 'node:net';
import type { Peer } from '../session/network-connection.js';
import type { StreamHandle } from './stream-handle.js';

const IPV4_IN_IPV6 = '::ffff:';

/** How a client of a Unix domain socket is named: it has no address. */
const LOCAL = 'local';

/**
 * Who is at the other end; an IPv4 client of a dual-stack listener is named by its IPv4 address.
 */
export function peerOf(socket: Socket, listener: string): Peer {
  const { address, host } = new HandlePeer(socket.remoteAddress, socket.remotePort ?? 0, listener);
  return { address, host, listener };
}

/** The same of a handle; it must still be connected. */
export function peerOfHandle(handle: StreamHandle, listener: string): Peer {
  const name: { address?: string; port?: number } = {};
  handle.getpeername?.(name);
  return new HandlePeer(name.address, name.port ?? 0, listener);
}

/** Makes the text of its address when somebody asks. */
class HandlePeer implements Peer {
  readonly host: string;
  readonly listener: string;
  readonly #port: number;

  constructor(remote: string | undefined, port: number, listener: string) {
    const isLocal = remote === undefined && /(^|\+)unix:/.test(listener);
    this.host = isLocal ? LOCAL : hostOf(remote ?? 'unknown');
    this.listener = listener;
    this.#port = port;
  }

  get address(): string {
    return this.host === LOCAL ? LOCAL : shownAddress(this.host, this.#port);
  }
}

/** An address and a port, in the two forms of a `Peer`. */
export function addressOf(remote: string, port: number): Pick<Peer, 'address' | 'host'> {
  const host = hostOf(remote);
  return { address: shownAddress(host, port), host };
}

function hostOf(remote: string): string {
  return remote.startsWith(IPV4_IN_IPV6) ? remote.slice(IPV4_IN_IPV6.length) : remote;
}

function shownAddress(host: string, port: number): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** What a socket error means, in words for the log. */
export function describeSocketError(
  error: Pick<NodeJS.ErrnoException, 'code' | 'message'>,
): string {
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
