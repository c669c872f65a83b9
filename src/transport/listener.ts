import type { Socket } from 'node:net';
import type {
  NetworkConnection,
  NetworkConnectionEvents,
  Peer,
} from '../session/network-connection.js';

/** Gives a new network connection to the protocol, and says where its bytes go. */
export type Accept = (network: NetworkConnection) => NetworkConnectionEvents;

/**
 * A bound address. Connections that come before `start` wait in it, so that no start is a half one.
 */
export interface Listener {
  /** The URL with the address and port really bound: port 0 is replaced. */
  readonly url: string;
  /**
   * Connections that are open, those included that the protocol has left and that send their rest.
   */
  readonly connections: number;
  start(accept: Accept): void;
  /** Nobody new is let in; open connections stay. Resolves when the address is free again. */
  stopAccepting(): Promise<void>;
  /** Ends by force what is still open. */
  destroyConnections(): void;
}

export interface ListenAddress {
  /** What is spoken; the last `s` is TLS. */
  readonly scheme: 'mqtt' | 'mqtts' | 'ws' | 'wss';
  /** A name or an address, IPv6 without brackets; empty where no TCP port is opened. */
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  /** Of the upgrade, beginning with a slash; empty for MQTT. */
  readonly path: string;
  /** In place of host and port: the path of a Unix domain socket. */
  readonly socketFile?: string;
  /** In place of host and port: the name of a socket that systemd has opened. */
  readonly systemdName?: string;
}

/**
 * What is done with a connection before it is served: a proxy's header, TLS. It calls `next` with
 * the stream of what is inside and with all that it learned, or ends the socket itself.
 */
export type Stage = (socket: Socket, peer: Peer, next: StageEnd) => void;
export type StageEnd = (socket: Socket, peer: Peer) => void;

export interface ListenOptions {
  readonly address: ListenAddress;
  /** Told of faults after the start, such as too many open files; the listener goes on. */
  readonly onFault: (sentence: string) => void;
  /** In their order; none by default. */
  readonly stages?: readonly Stage[];
  /** More than these are ended at once. No bound by default. */
  readonly connectionsMax?: number;
  /** Of a Unix domain socket's file, such as 0o660: what the process's umask leaves by default. */
  readonly socketMode?: number | undefined;
  /** File descriptors that were handed to the process, by their names. */
  readonly inherited?: ReadonlyMap<string, number>;
  /** Sockets of `node:net` also where this Node lets us do without them, which is faster. */
  readonly plainSockets?: boolean;
  /** Called when nobody new is let in any more. */
  readonly onStop?: () => void;
}

/** An address that cannot be listened on: the message is a sentence for the user. */
export class ListenError extends Error {
  readonly code: string;
  readonly host: string;
  readonly port: number;

  constructor(address: ListenAddress, cause: NodeJS.ErrnoException) {
    super(describeListenFault(cause, address), { cause });
    this.name = 'ListenError';
    this.code = cause.code ?? 'UNKNOWN';
    this.host = address.host;
    this.port = address.port;
  }
}

export const LISTEN_BACKLOG = 4096;

/** Connections that may wait for `start`. */
export const WAITING_CONNECTIONS_MAX = 4096;

/** Without a byte for so long the system asks whether the other end exists (RFC 1122, 4.2.3.6). */
export const TCP_PROBE_SECONDS = 7200;

/** The address as people write it. */
export function urlOf(address: ListenAddress): string {
  const { scheme, port, socketFile, systemdName } = address;
  const spoken = scheme === 'mqtt' ? '' : `${scheme}+`;
  if (socketFile !== undefined) return `${spoken}unix:${socketFile}`;
  if (systemdName !== undefined) return `${spoken}systemd:${systemdName}`;
  const host = address.host.includes(':') ? `[${address.host}]` : address.host;
  return `${scheme}://${host}:${port}${address.path}`;
}

function describeListenFault(cause: NodeJS.ErrnoException, address: ListenAddress): string {
  if (address.socketFile !== undefined) return describeFileFault(cause, address.socketFile);
  if (address.systemdName !== undefined) {
    return `the socket ${address.systemdName} of systemd cannot be used: ${cause.message}`;
  }
  const { host, port } = address;
  switch (cause.code) {
    case 'EADDRINUSE':
      return `port ${port} on ${host} is taken by another program`;
    case 'EACCES':
      return `port ${port} on ${host} needs more rights: ports below 1024 belong to root`;
    case 'EADDRNOTAVAIL':
      return `this machine has no address ${host}`;
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `the name ${host} does not lead to an address`;
    default:
      return `port ${port} on ${host} cannot be opened: ${cause.message}`;
  }
}

function describeFileFault(cause: NodeJS.ErrnoException, file: string): string {
  switch (cause.code) {
    case 'EADDRINUSE':
      return `another program listens on the socket ${file}`;
    case 'ENOTSOCK':
      return `${file} is there already and is no socket, so it was left alone`;
    case 'ENOENT':
      return `the folder of the socket ${file} does not exist`;
    case 'EACCES':
    case 'EPERM':
      return `the socket ${file} cannot be made for want of rights in its folder`;
    case 'EINVAL':
    case 'ENAMETOOLONG':
      return `the path of the socket ${file} is too long: the system takes 107 bytes`;
    default:
      return `the socket ${file} cannot be opened: ${cause.message}`;
  }
}
