import type { Socket } from 'node:net';
import type { Peer } from '../session/network-connection.js';
import type { Accept } from './listener.js';
import type { StreamServer } from './tcp-listener.js';

/** Streams whose server is loaded when the first of them comes. */
export class LateStreams implements StreamServer {
  readonly isEarly = true;
  readonly #load: () => Promise<StreamServer>;
  readonly #onFault: (sentence: string) => void;
  #server: StreamServer | undefined = undefined;
  #loading: Promise<void> | undefined = undefined;
  #accept: Accept | undefined = undefined;
  #isStopped = false;

  constructor(load: () => Promise<StreamServer>, onFault: (sentence: string) => void) {
    this.#load = load;
    this.#onFault = onFault;
  }

  start(accept: Accept): void {
    this.#accept = accept;
    this.#server?.start(accept);
  }

  serve(socket: Socket, peer: Peer): void {
    if (this.#server !== undefined) this.#server.serve(socket, peer);
    else void this.#serveLater(socket, peer);
  }

  stop(): void {
    this.#isStopped = true;
    this.#server?.stop();
  }

  async #serveLater(socket: Socket, peer: Peer): Promise<void> {
    const failed = (): void => void socket.destroy();
    socket.on('error', failed);
    this.#loading ??= this.#loadServer();
    await this.#loading;
    if (this.#server === undefined) socket.destroy();
    // One that has ended may still have its error to tell.
    if (socket.destroyed) return;
    socket.off('error', failed);
    this.#server!.serve(socket, peer);
  }

  /** Where it cannot be done now, such as with too many open files, the next stream tries again. */
  async #loadServer(): Promise<void> {
    try {
      const server = await this.#load();
      if (this.#accept !== undefined) server.start(this.#accept);
      if (this.#isStopped) server.stop();
      this.#server = server;
    } catch (error) {
      this.#loading = undefined;
      this.#onFault(`a connection could not be served: ${String(error)}`);
    }
  }
}
