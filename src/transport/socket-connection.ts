import type { Socket } from 'node:net';
import {
  CLOSED_BY_CLIENT,
  type NetworkConnection,
  type NetworkConnectionEvents,
  type Peer,
  type WriteRelease,
} from '../session/network-connection.js';
import { type Accept, TCP_PROBE_SECONDS } from './listener.js';
import { describeSocketError } from './peer.js';
import {
  READ_COST_MAX,
  readCost,
  readTurns,
  TIMED_BYTES_MIN,
  type TurnReader,
} from './read-turns.js';
import { SocketWriter } from './socket-writer.js';

/** How long a client may take to receive the last bytes and to close its side. */
export const CLOSE_DEADLINE_MS = 5000;

/** A TCP or TLS socket as the protocol sees it. */
export class SocketConnection implements NetworkConnection, TurnReader {
  readonly peer: Peer;
  readonly #socket: Socket;
  readonly #writer: SocketWriter;
  #events: NetworkConnectionEvents | undefined = undefined;
  #cause: string | undefined = undefined;
  #closing = false;
  #isPaused = false;
  #turnCost = 0;
  #awaitsTurn = false;
  #deadline: NodeJS.Timeout | undefined = undefined;

  private constructor(socket: Socket, peer: Peer) {
    this.peer = peer;
    this.#socket = socket;
    this.#writer = new SocketWriter(socket, () => this.#events?.drained());
    socket.on('end', () => this.#ended());
    socket.on('error', (error) => this.#failed(error));
    socket.on('close', () => this.#closed());
  }

  /** Gives the socket to the protocol. The bytes flow from here on. */
  static serve(socket: Socket, peer: Peer, accept: Accept): void {
    const connection = new SocketConnection(socket, peer);
    connection.#events = accept(connection);
    socket.on('data', (chunk: Uint8Array) => connection.#read(chunk));
  }

  get unsentBytes(): number {
    return this.#writer.unsentBytes;
  }

  write(parts: readonly Uint8Array[], release: WriteRelease): void {
    this.#writer.write(undefined, parts, release);
  }

  probeWhenSilent(): void {
    this.#socket.setKeepAlive(true, TCP_PROBE_SECONDS * 1000);
  }

  pauseReading(): void {
    this.#isPaused = true;
    if (!this.#closing) this.#socket.pause();
  }

  resumeReading(): void {
    this.#isPaused = false;
    if (!this.#closing && !this.#awaitsTurn) this.#socket.resume();
  }

  /** It is its turn. */
  readOn(): void {
    this.#awaitsTurn = false;
    if (!this.#isPaused || this.#closing) this.#socket.resume();
  }

  close(how: 'after-flush' | 'now'): void {
    this.#cause ??= 'the broker closed the connection';
    this.#closing = true;
    if (how === 'now') {
      this.#socket.destroy();
      return;
    }
    // What still comes in is read and dropped: closing with unread bytes would make the system send
    // a reset, and a reset can overtake the last packet.
    this.#socket.end();
    if (!this.#awaitsTurn) this.#socket.resume();
    this.#startDeadline();
  }

  #read(chunk: Uint8Array): void {
    const { length } = chunk;
    const sinceMs = length < TIMED_BYTES_MIN ? 0 : performance.now();
    if (!this.#closing) this.#events!.receive(chunk);
    this.#turnCost += readCost(length, sinceMs === 0 ? 0 : performance.now() - sinceMs);
    if (this.#turnCost >= READ_COST_MAX && !this.#awaitsTurn) this.#letOthersIn();
  }

  /** Also while what comes is dropped. */
  #letOthersIn(): void {
    this.#turnCost = 0;
    this.#awaitsTurn = true;
    this.#socket.pause();
    readTurns.wait(this);
  }

  #ended(): void {
    this.#cause ??= CLOSED_BY_CLIENT;
    this.#startDeadline();
  }

  #failed(error: NodeJS.ErrnoException): void {
    this.#cause ??= describeSocketError(error);
  }

  #startDeadline(): void {
    this.#deadline ??= setTimeout(() => this.#socket.destroy(), CLOSE_DEADLINE_MS).unref();
  }

  #closed(): void {
    this.#closing = true;
    clearTimeout(this.#deadline);
    this.#writer.closed();
    this.#events?.networkClosed(this.#cause ?? 'the connection was closed');
  }
}
