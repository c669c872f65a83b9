import type { Server } from 'node:net';
import { getSystemErrorName } from 'node:util';
import { HandleConnection, HandleConnections } from './handle-connection.js';
import {
  type Accept,
  type Listener,
  type ListenOptions,
  WAITING_CONNECTIONS_MAX,
} from './listener.js';
import { peerOfHandle } from './peer.js';
import type { StreamHandle, StreamHandles } from './stream-handle.js';

/** Where connections come as handles, without sockets around them. */
export class HandleListener implements Listener {
  readonly url: string;
  readonly #server: Server;
  readonly #connections: HandleConnections;
  readonly #configure: (handle: StreamHandle) => void;
  readonly #connectionsMax: number;
  #waiting: StreamHandle[] = [];
  #accept: Accept | undefined = undefined;

  constructor(
    server: Server,
    url: string,
    streams: StreamHandles,
    { onFault, connectionsMax }: Pick<ListenOptions, 'onFault' | 'connectionsMax'>,
  ) {
    this.url = url;
    this.#server = server;
    this.#connectionsMax = connectionsMax ?? Number.POSITIVE_INFINITY;
    this.#connections = new HandleConnections(streams);
    this.#configure = streams.configure();
    streams.onConnection(
      (handle) => this.#connected(handle),
      (error) => onFault(`a connection could not be accepted: ${getSystemErrorName(error)}`),
    );
  }

  get connections(): number {
    return this.#connections.all.size + this.#waiting.length;
  }

  start(accept: Accept): void {
    this.#accept = accept;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const handle of waiting) this.#serve(handle, accept);
  }

  stopAccepting(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close();
      setImmediate(resolve);
    });
  }

  destroyConnections(): void {
    for (const handle of this.#waiting) handle.close(ignore);
    this.#waiting = [];
    for (const connection of this.#connections.all) connection.destroy();
  }

  #connected(handle: StreamHandle): void {
    if (this.connections >= this.#connectionsMax) {
      handle.close(ignore);
      return;
    }
    this.#configure(handle);
    if (this.#accept !== undefined) this.#serve(handle, this.#accept);
    else if (this.#waiting.length < WAITING_CONNECTIONS_MAX) this.#waiting.push(handle);
    else handle.close(ignore);
  }

  #serve(handle: StreamHandle, accept: Accept): void {
    const peer = peerOfHandle(handle, this.url);
    HandleConnection.serve(handle, peer, this.#connections, accept);
  }
}

function ignore(): void {}
