import { createServer, type Server, type Socket } from 'node:net';
import type { Peer } from '../session/network-connection.js';
import { bind } from './bind.js';
import { HandleListener } from './handle-listener.js';
import {
  type Accept,
  type Listener,
  type ListenOptions,
  type Stage,
  WAITING_CONNECTIONS_MAX,
} from './listener.js';
import { peerOf } from './peer.js';
import { SocketConnection } from './socket-connection.js';
import { passStages } from './stages.js';
import { StreamHandles } from './stream-handle.js';

/** Who gets the streams that have passed all stages. */
export interface StreamServer {
  /** Whether it takes connections before `start` as well; otherwise they wait in the listener. */
  readonly isEarly: boolean;
  start(accept: Accept): void;
  serve(socket: Socket, peer: Peer): void;
  /** Nobody new is let in. */
  stop(): void;
}

class MqttStreams implements StreamServer {
  readonly isEarly = false;
  #accept: Accept | undefined = undefined;

  start(accept: Accept): void {
    this.#accept = accept;
  }

  serve(socket: Socket, peer: Peer): void {
    if (this.#accept === undefined) socket.destroy();
    else SocketConnection.serve(socket, peer, this.#accept);
  }

  stop(): void {
    this.#accept = undefined;
  }
}

/** Binds an address for MQTT on a stream of bytes; rejects with a `ListenError`. */
export async function listenTcp(options: ListenOptions): Promise<Listener> {
  // A stage works on a socket.
  const mayBeHandles = options.plainSockets !== true && (options.stages ?? []).length === 0;
  if (!mayBeHandles) return listenStreams(options, new MqttStreams());
  const server = newServer();
  const url = await bind(server, options);
  const handles = StreamHandles.under(server);
  if (handles !== undefined) return new HandleListener(server, url, handles, options);
  return new TcpListener(server, url, options, new MqttStreams());
}

/** Binds an address whose connections go to `streams`; rejects with a `ListenError`. */
export async function listenStreams(
  options: ListenOptions,
  streams: StreamServer,
): Promise<Listener> {
  const server = newServer();
  const url = await bind(server, options);
  return new TcpListener(server, url, options, streams);
}

function newServer(): Server {
  return createServer({
    noDelay: true,
  });
}

/** Where connections are sockets: the plain way, which every Node has. */
class TcpListener implements Listener {
  readonly url: string;
  readonly #server: Server;
  readonly #streams: StreamServer;
  readonly #stages: readonly Stage[];
  readonly #connectionsMax: number;
  readonly #onStop: (() => void) | undefined;
  readonly #sockets = new Set<Socket>();
  /** In the middle of their stages: nobody else ends them. */
  readonly #opening = new Set<Socket>();
  #waiting: Socket[] = [];
  #isStarted = false;

  constructor(server: Server, url: string, options: ListenOptions, streams: StreamServer) {
    this.url = url;
    this.#server = server;
    this.#streams = streams;
    this.#stages = options.stages ?? [];
    this.#connectionsMax = options.connectionsMax ?? Number.POSITIVE_INFINITY;
    this.#onStop = options.onStop;
    server.on('connection', (socket) => this.#connected(socket));
  }

  get connections(): number {
    return this.#sockets.size;
  }

  start(accept: Accept): void {
    this.#isStarted = true;
    this.#streams.start(accept);
    for (const socket of this.#waiting) {
      socket.removeAllListeners('error');
      if (!socket.destroyed) this.#open(socket);
    }
    this.#waiting = [];
  }

  stopAccepting(): Promise<void> {
    this.#streams.stop();
    this.#onStop?.();
    for (const socket of this.#opening) socket.destroy();
    return new Promise((resolve) => {
      // The callback comes when the last connection is gone, the address is free at once.
      this.#server.close();
      setImmediate(resolve);
    });
  }

  destroyConnections(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #connected(socket: Socket): void {
    if (this.#sockets.size >= this.#connectionsMax) {
      socket.destroy();
      return;
    }
    this.#sockets.add(socket);
    socket.once('close', () => {
      this.#sockets.delete(socket);
      this.#opening.delete(socket);
    });
    if (this.#isStarted || this.#streams.isEarly) {
      this.#open(socket);
    } else if (this.#waiting.length < WAITING_CONNECTIONS_MAX) {
      socket.on('error', () => socket.destroy());
      this.#waiting.push(socket);
    } else {
      socket.destroy();
    }
  }

  #open(socket: Socket): void {
    this.#opening.add(socket);
    passStages(this.#stages, socket, peerOf(socket, this.url), (inner, peer) => {
      this.#opening.delete(socket);
      this.#streams.serve(inner, peer);
    });
  }
}
