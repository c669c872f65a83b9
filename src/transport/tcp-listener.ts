import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import {
  type Accept,
  LISTEN_BACKLOG,
  ListenError,
  type Listener,
  type ListenOptions,
  TCP_KEEP_ALIVE_MS,
  urlOf,
  WAITING_CONNECTIONS_MAX,
} from './listener.js';
import { peerOf } from './peer.js';
import { SocketConnection } from './socket-connection.js';

/** Binds a `mqtt://host:port` address; rejects with a `ListenError`. */
export function listenTcp(options: ListenOptions): Promise<Listener> {
  const server = createServer({
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: TCP_KEEP_ALIVE_MS,
  });
  return bind(server, options).then((url) => new TcpListener(server, url));
}

/** Binds any server of `node:net` and tells its real URL; rejects with a `ListenError`. */
export function bind(server: Server, options: ListenOptions): Promise<string> {
  const { host, port } = options.address;
  return new Promise((resolve, reject) => {
    const refused = (error: NodeJS.ErrnoException): void => {
      reject(new ListenError(options.address, error));
    };
    server.once('error', refused);
    server.listen({ host, port, backlog: LISTEN_BACKLOG, exclusive: true }, () => {
      server.off('error', refused);
      server.on('error', (error) => {
        options.onFault(`a connection could not be accepted: ${error.message}`);
      });
      resolve(urlOf(options.address, (server.address() as AddressInfo).port));
    });
  });
}

class TcpListener implements Listener {
  readonly url: string;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #waiting: Socket[] = [];
  #accept: Accept | undefined = undefined;

  constructor(server: Server, url: string) {
    this.url = url;
    this.#server = server;
    server.on('connection', (socket) => this.#connected(socket));
  }

  get connections(): number {
    return this.#sockets.size;
  }

  start(accept: Accept): void {
    this.#accept = accept;
    for (const socket of this.#waiting) {
      socket.removeAllListeners('error');
      if (!socket.destroyed) SocketConnection.serve(socket, peerOf(socket, this.url), accept);
    }
    this.#waiting = [];
  }

  stopAccepting(): Promise<void> {
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
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    if (this.#accept !== undefined) {
      SocketConnection.serve(socket, peerOf(socket, this.url), this.#accept);
    } else if (this.#waiting.length < WAITING_CONNECTIONS_MAX) {
      socket.on('error', () => socket.destroy());
      this.#waiting.push(socket);
    } else {
      socket.destroy();
    }
  }
}
