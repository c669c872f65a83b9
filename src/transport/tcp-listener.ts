import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import {
  type Accept,
  addressOf,
  boundUrl,
  LISTEN_BACKLOG,
  ListenError,
  type Listener,
  type ListenOptions,
  TCP_KEEP_ALIVE_MS,
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
  return bind(server, options).then((address) => new TcpListener(server, address, options));
}

/** Binds any server of `node:net`; rejects with a `ListenError`. */
export function bind(server: Server, options: ListenOptions): Promise<AddressInfo> {
  const { host, port } = addressOf(options.url);
  return new Promise((resolve, reject) => {
    const refused = (error: NodeJS.ErrnoException): void => {
      reject(new ListenError(options.url, error));
    };
    server.once('error', refused);
    server.listen({ host, port, backlog: LISTEN_BACKLOG, exclusive: true }, () => {
      server.off('error', refused);
      server.on('error', (error) => {
        options.onFault(`a connection could not be accepted: ${error.message}`);
      });
      resolve(server.address() as AddressInfo);
    });
  });
}

class TcpListener implements Listener {
  readonly url: string;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #waiting: Socket[] = [];
  #accept: Accept | undefined = undefined;

  constructor(server: Server, address: AddressInfo, options: ListenOptions) {
    this.url = boundUrl(options.url, address);
    this.#server = server;
    server.on('connection', (socket) => this.#connected(socket));
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
