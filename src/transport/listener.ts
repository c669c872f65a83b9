import type { NetworkConnection, NetworkConnectionEvents } from '../session/network-connection.js';

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
  readonly scheme: 'mqtt' | 'ws';
  /** A name or an address, IPv6 without brackets. */
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  /** Of the upgrade, beginning with a slash; empty for MQTT. */
  readonly path: string;
}

export interface ListenOptions {
  readonly address: ListenAddress;
  /** Told of faults after the start, such as too many open files; the listener goes on. */
  readonly onFault: (sentence: string) => void;
}

/** An address that cannot be listened on: the message is a sentence for the user. */
export class ListenError extends Error {
  readonly code: string;
  readonly host: string;
  readonly port: number;

  constructor({ host, port }: ListenAddress, cause: NodeJS.ErrnoException) {
    super(describeListenFault(cause, host, port), { cause });
    this.name = 'ListenError';
    this.code = cause.code ?? 'UNKNOWN';
    this.host = host;
    this.port = port;
  }
}

export const LISTEN_BACKLOG = 4096;

/** Connections that may wait for `start`. */
export const WAITING_CONNECTIONS_MAX = 4096;

/** After this many seconds without a byte the system probes whether the other end still exists. */
export const TCP_KEEP_ALIVE_MS = 60_000;

/** The address as a URL, with the port given. */
export function urlOf(address: ListenAddress, port: number): string {
  const host = address.host.includes(':') ? `[${address.host}]` : address.host;
  return `${address.scheme}://${host}:${port}${address.path}`;
}

function describeListenFault(cause: NodeJS.ErrnoException, host: string, port: number): string {
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
