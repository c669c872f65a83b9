import { getSystemErrorName } from 'node:util';
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
import { CLOSE_DEADLINE_MS } from './socket-connection.js';
import { releaseUnsent } from './socket-writer.js';
import {
  END_OF_FILE,
  type StreamHandle,
  type StreamHandles,
  type StreamReader,
  type StreamRequest,
} from './stream-handle.js';

/** A write that the system did not take at once. */
interface PendingWrite extends StreamRequest {
  connection: HandleConnection;
  parts: readonly Uint8Array[];
  release: WriteRelease;
  bytes: number;
}

/** What the connections of a listener share. */
export class HandleConnections {
  readonly streams: StreamHandles;
  readonly all: Set<HandleConnection> = new Set();
  /** For the next write of any of them: one that is taken at once leaves it as it was. */
  spareWrite: StreamRequest;

  constructor(streams: StreamHandles) {
    this.streams = streams;
    this.spareWrite = newWrite(streams);
  }
}

/** A TCP connection as the protocol sees it, on the system's stream itself. */
export class HandleConnection implements NetworkConnection, StreamReader, TurnReader {
  readonly peer: Peer;
  unsentBytes = 0;
  readonly #handle: StreamHandle;
  readonly #shared: HandleConnections;
  #events: NetworkConnectionEvents | undefined = undefined;
  #cause: string | undefined = undefined;
  #deadline: NodeJS.Timeout | undefined = undefined;
  /** The protocol hears nothing more but the end. */
  #isClosing = false;
  /** We send nothing more. */
  #isShut = false;
  /** The client sends nothing more. */
  #isEnded = false;
  #isDestroyed = false;
  #isPaused = false;
  #turnCost = 0;
  #awaitsTurn = false;

  private constructor(handle: StreamHandle, peer: Peer, shared: HandleConnections) {
    this.peer = peer;
    this.#handle = handle;
    this.#shared = shared;
  }

  /** Gives the stream to the protocol. The bytes flow from here on. */
  static serve(handle: StreamHandle, peer: Peer, shared: HandleConnections, accept: Accept): void {
    const connection = new HandleConnection(handle, peer, shared);
    shared.all.add(connection);
    shared.streams.attach(handle, connection);
    connection.#events = accept(connection);
    if (!connection.#isDestroyed) connection.#check(handle.readStart());
  }

  get takesBursts(): boolean {
    return true;
  }

  read(bytes: Uint8Array): void {
    const { length } = bytes;
    const sinceMs = length < TIMED_BYTES_MIN ? 0 : performance.now();
    if (!this.#isClosing) this.#events!.receive(bytes);
    this.#turnCost += readCost(length, sinceMs === 0 ? 0 : performance.now() - sinceMs);
    if (this.#turnCost >= READ_COST_MAX) this.#letOthersIn();
  }

  readEnded(error: number): void {
    if (error !== END_OF_FILE) {
      this.#check(error);
      return;
    }
    this.#cause ??= CLOSED_BY_CLIENT;
    this.#isEnded = true;
    if (this.unsentBytes === 0) {
      this.destroy();
      return;
    }
    this.#shutDown();
    this.#startDeadline();
  }

  write(parts: readonly Uint8Array[], release: WriteRelease): void {
    if (this.#isShut || this.#isDestroyed || parts.length === 0) {
      releaseUnsent(parts, release);
      return;
    }
    const shared = this.#shared;
    const request = shared.spareWrite;
    const error =
      parts.length === 1
        ? this.#handle.writeBuffer(request, parts[0]!)
        : this.#handle.writev(request, parts, true);
    if (error !== 0) {
      releaseUnsent(parts, release);
      this.#check(error);
    } else if (shared.streams.isWriting) this.#wait(parts, release);
    else release.written(parts);
  }

  probeWhenSilent(): void {
    if (!this.#isDestroyed) this.#handle.setKeepAlive?.(true, TCP_PROBE_SECONDS);
  }

  pauseReading(): void {
    this.#isPaused = true;
    if (!this.#isClosing) this.#handle.readStop();
  }

  resumeReading(): void {
    this.#isPaused = false;
    if (!this.#isClosing) this.#readOn();
  }

  /** It is its turn. */
  readOn(): void {
    this.#awaitsTurn = false;
    if (!this.#isPaused || this.#isClosing) this.#readOn();
  }

  close(how: 'after-flush' | 'now'): void {
    this.#cause ??= 'the broker closed the connection';
    this.#isClosing = true;
    if (how === 'now') this.destroy();
    if (this.#isDestroyed) return;
    // What still comes in is read and dropped: closing with unread bytes would make the system send
    // a reset, and a reset can overtake the last packet.
    this.#readOn();
    this.#shutDown();
    this.#startDeadline();
  }

  /** Ends by force; what has not left is lost. */
  destroy(): void {
    if (this.#isDestroyed) return;
    this.#isDestroyed = true;
    this.#isClosing = true;
    clearTimeout(this.#deadline);
    this.#handle.close(handleClosed);
  }

  /** The system has closed the handle and has given up every write before. */
  closed(): void {
    this.#handle.reader = undefined;
    this.#shared.all.delete(this);
    this.#events?.networkClosed(this.#cause ?? 'the connection was closed');
  }

  /** A pending write has left, or never will. */
  wrote({ parts, release, bytes }: PendingWrite, status: number): void {
    this.unsentBytes -= bytes;
    release.written(parts);
    if (this.#isDestroyed) return;
    if (status < 0) this.#check(status);
    else if (this.unsentBytes > 0) return;
    else if (this.#isEnded) this.destroy();
    else this.#events?.drained();
  }

  #readOn(): void {
    if (!this.#isDestroyed && !this.#isEnded && !this.#awaitsTurn) this.#handle.readStart();
  }

  /** Also while what comes is dropped. */
  #letOthersIn(): void {
    this.#turnCost = 0;
    if (this.#isDestroyed || this.#awaitsTurn) return;
    this.#awaitsTurn = true;
    this.#handle.readStop();
    readTurns.wait(this);
  }

  /** The spare request is this write's now. */
  #wait(parts: readonly Uint8Array[], release: WriteRelease): void {
    const shared = this.#shared;
    const pending = shared.spareWrite as PendingWrite;
    shared.spareWrite = newWrite(shared.streams);
    pending.connection = this;
    pending.parts = parts;
    pending.release = release;
    pending.bytes = 0;
    for (const part of parts) pending.bytes += part.length;
    this.unsentBytes += pending.bytes;
  }

  /** Behind what is being written. */
  #shutDown(): void {
    if (this.#isShut) return;
    this.#isShut = true;
    const request = this.#shared.streams.newShutdown();
    request.oncomplete = ignore;
    this.#check(this.#handle.shutdown(request));
  }

  #check(error: number): void {
    if (error >= 0 || this.#isDestroyed) return;
    const code = getSystemErrorName(error);
    this.#cause ??= describeSocketError({ code, message: code });
    this.destroy();
  }

  #startDeadline(): void {
    if (this.#isDestroyed) return;
    this.#deadline ??= setTimeout(() => this.destroy(), CLOSE_DEADLINE_MS).unref();
  }
}

function newWrite(streams: StreamHandles): StreamRequest {
  const request = streams.newWrite();
  request.oncomplete = writeCompleted;
  return request;
}

function writeCompleted(this: StreamRequest, status: number): void {
  const pending = this as PendingWrite;
  pending.connection.wrote(pending, status);
}

function handleClosed(this: StreamHandle): void {
  (this.reader as HandleConnection | undefined)?.closed();
}

function ignore(): void {}
