import { type BlockList, isIP, type Socket } from 'node:net';
import type { Peer } from '../session/network-connection.js';
import type { Stage, StageEnd } from './listener.js';
import { isAmong } from './networks.js';
import { addressOf } from './peer.js';
import { type ProxyHeader, ProxyHeaderError, readProxyHeader } from './proxy-header.js';

export interface ProxyOptions {
  /** Whose headers are believed; nobody else may connect. Clients of Unix sockets are trusted. */
  readonly trusted: BlockList;
  readonly headerMsMax: number;
  /** Somebody was refused; `reason` is a sentence without its subject. */
  readonly onRefused: (peer: Peer, reason: string) => void;
}

/**
 * The PROXY protocol: a load balancer says, in front of the client's first byte, who the client is.
 * On such a listener everybody comes through the balancer; those who do not are refused.
 */
export function proxyStage(options: ProxyOptions): Stage {
  return (socket, peer, next) => {
    if (!isTrusted(peer, options.trusted)) {
      options.onRefused(peer, 'its address is none of the trusted proxies');
      socket.destroy();
      return;
    }
    new HeaderReader(socket, peer, next, options).begin();
  };
}

function isTrusted({ host }: Peer, trusted: BlockList): boolean {
  return isIP(host) === 0 ? host === 'local' : isAmong(trusted, host);
}

class HeaderReader {
  readonly #socket: Socket;
  readonly #peer: Peer;
  readonly #next: StageEnd;
  readonly #options: ProxyOptions;
  readonly #deadline: NodeJS.Timeout;
  #bytes: Buffer = Buffer.alloc(0);

  constructor(socket: Socket, peer: Peer, next: StageEnd, options: ProxyOptions) {
    this.#socket = socket;
    this.#peer = peer;
    this.#next = next;
    this.#options = options;
    const late = (): void => this.#refuse('no whole PROXY header came in time');
    this.#deadline = setTimeout(late, options.headerMsMax).unref();
  }

  begin(): void {
    this.#socket.on('readable', this.#read);
    this.#socket.on('end', this.#gone);
    this.#socket.on('error', this.#gone);
    this.#socket.on('close', this.#gone);
  }

  readonly #read = (): void => {
    const chunk = this.#socket.read() as Buffer | null;
    if (chunk === null) return;
    this.#bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk]);
    try {
      const header = readProxyHeader(this.#bytes);
      if (header !== undefined) this.#found(header);
    } catch (error) {
      if (!(error instanceof ProxyHeaderError)) throw error;
      this.#refuse(error.message);
    }
  };

  #found(header: ProxyHeader): void {
    this.#leave();
    const rest = this.#bytes.subarray(header.length);
    if (rest.length > 0) this.#socket.unshift(rest);
    this.#next(this.#socket, proxiedPeer(this.#peer, header));
  }

  // A health check often opens a connection and ends it: nothing to tell.
  readonly #gone = (): void => {
    this.#leave();
    this.#socket.destroy();
  };

  #refuse(reason: string): void {
    this.#options.onRefused(this.#peer, reason);
    this.#gone();
  }

  #leave(): void {
    clearTimeout(this.#deadline);
    this.#socket.off('readable', this.#read);
    this.#socket.off('end', this.#gone);
    this.#socket.off('error', this.#gone);
    this.#socket.off('close', this.#gone);
    // A late error of a destroyed socket must find somebody.
    if (this.#socket.destroyed) this.#socket.on('error', () => {});
  }
}

function proxiedPeer(peer: Peer, { source, commonName }: ProxyHeader): Peer {
  if (source === undefined) return peer;
  const named =
    source.host === undefined
      ? { address: 'local', host: 'local' }
      : addressOf(source.host, source.port);
  const name = commonName === undefined ? {} : { proxiedCommonName: commonName };
  return { ...peer, ...named, ...name, proxiedFrom: peer.address };
}
