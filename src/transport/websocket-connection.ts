import type { Socket } from 'node:net';
import { WebSocket } from 'ws';
import {
  CLOSED_BY_CLIENT,
  type NetworkConnection,
  type NetworkConnectionEvents,
  type Peer,
  type WriteRelease,
} from '../session/network-connection.js';
import { type Accept, TCP_PROBE_SECONDS } from './listener.js';
import { describeSocketError } from './peer.js';
import { readTurns, type TurnReader } from './read-turns.js';
import { CLOSE_DEADLINE_MS } from './socket-connection.js';
import { releaseUnsent, SocketWriter } from './socket-writer.js';

const CLOSE_NORMAL = 1000;
const CLOSE_UNSUPPORTED_DATA = 1003;

/**
 * A client that sends pings and reads no pongs gets no more of them above this many unsent bytes.
 */
const PONG_UNSENT_BYTES_MAX = 65_536;

/**
 * What somebody may send before CONNECT was accepted: the message of a stranger is not gathered
 * beyond it, whatever length it claims.
 */
export const STRANGER_BYTES_MAX: number = 1_048_576 + 65_536;

/** What a client may send before others get a turn: many frames of few bytes are slow work. */
export const FRAMES_BYTES_MAX = 65_536;

/** A WebSocket as the protocol sees it: a stream of bytes whose frames mean nothing. */
export class WebSocketConnection implements NetworkConnection, TurnReader {
  readonly peer: Peer;
  readonly #webSocket: WebSocket;
  readonly #socket: Socket;
  readonly #events: NetworkConnectionEvents;
  readonly #writer: SocketWriter;
  /** Frames that were already taken apart when reading was paused. */
  readonly #held: Uint8Array[] = [];
  #strangerBytes = 0;
  #turnBytes = 0;
  #awaitsTurn = false;
  #paused = false;
  #closing = false;
  #cause: string | undefined = undefined;
  #deadline: NodeJS.Timeout | undefined = undefined;

  constructor(webSocket: WebSocket, socket: Socket, peer: Peer, accept: Accept) {
    this.peer = peer;
    this.#webSocket = webSocket;
    this.#socket = socket;
    this.#writer = new SocketWriter(socket, () => this.#events.drained());
    this.#events = accept(this);
    socket.on('data', this.#heardStranger);
    socket.on('data', (chunk: Uint8Array) => this.#count(chunk.length));
    webSocket.on('message', (data, isBinary) => this.#received(data as Buffer, isBinary));
    webSocket.on('ping', (data) => {
      if (this.unsentBytes <= PONG_UNSENT_BYTES_MAX) webSocket.pong(data);
    });
    webSocket.on('error', (error) => {
      this.#cause ??= `the client broke the WebSocket protocol: ${error.message}`;
      this.#startDeadline();
    });
    webSocket.on('close', () => this.#closed());
    socket.on('error', (error) => {
      this.#cause ??= describeSocketError(error);
    });
    socket.on('end', () => this.#startDeadline());
  }

  get unsentBytes(): number {
    return this.#writer.unsentBytes;
  }

  /** One binary frame: its header, then the parts, without a copy. */
  write(parts: readonly Uint8Array[], release: WriteRelease): void {
    if (this.#webSocket.readyState !== WebSocket.OPEN) {
      releaseUnsent(parts, release);
      return;
    }
    let length = 0;
    for (const part of parts) length += part.length;
    this.#writer.write(binaryFrameHeader(length), parts, release); // [MQTT-6.0.0-1]
  }

  probeWhenSilent(): void {
    this.#socket.setKeepAlive(true, TCP_PROBE_SECONDS * 1000);
  }

  pauseReading(): void {
    if (this.#closing || this.#paused) return;
    this.#paused = true;
    this.#webSocket.pause();
  }

  resumeReading(): void {
    if (this.#closing || !this.#paused) return;
    this.#paused = false;
    if (this.#held.length === 0) this.#readOn();
    else queueMicrotask(() => this.#deliverHeld());
  }

  /** It is its turn. */
  readOn(): void {
    this.#awaitsTurn = false;
    if (!this.#closing && !this.#paused && this.#held.length === 0) this.#webSocket.resume();
  }

  admitted(): void {
    this.#socket.off('data', this.#heardStranger);
    // The chunk that holds CONNECT may still be on its way to that function.
    this.#strangerBytes = Number.NEGATIVE_INFINITY;
  }

  close(how: 'after-flush' | 'now'): void {
    this.#cause ??= 'the broker closed the connection';
    if (how === 'now') {
      this.#closing = true;
      this.#webSocket.terminate();
    } else {
      this.#closeAfterFlush(CLOSE_NORMAL, '');
    }
  }

  readonly #heardStranger = (chunk: Uint8Array): void => {
    this.#strangerBytes += chunk.length;
    if (this.#strangerBytes <= STRANGER_BYTES_MAX) return;
    this.#cause ??= `the client sent more than ${STRANGER_BYTES_MAX} bytes before it was let in`;
    this.#closing = true;
    this.#webSocket.terminate();
  };

  #readOn(): void {
    if (!this.#awaitsTurn) this.#webSocket.resume();
  }

  /** All that comes, pings and empty frames too. What has been read is taken apart at once. */
  #count(bytes: number): void {
    this.#turnBytes += bytes;
    if (this.#turnBytes < FRAMES_BYTES_MAX || this.#closing || this.#awaitsTurn) return;
    this.#turnBytes = 0;
    this.#awaitsTurn = true;
    this.#webSocket.pause();
    readTurns.wait(this);
  }

  #closeAfterFlush(code: number, sentence: string): void {
    this.#closing = true;
    this.#webSocket.close(code, sentence);
    this.#webSocket.resume();
    this.#startDeadline();
  }

  #received(data: Buffer, isBinary: boolean): void {
    if (this.#closing) return;
    if (!isBinary) {
      this.#cause ??= 'the client sent a text frame; MQTT travels in binary frames';
      // [MQTT-6.0.0-1]
      this.#closeAfterFlush(CLOSE_UNSUPPORTED_DATA, 'MQTT travels in binary frames');
    } else if (this.#paused || this.#held.length > 0) {
      this.#held.push(data);
    } else {
      this.#events.receive(data); // [MQTT-6.0.0-2]
    }
  }

  #deliverHeld(): void {
    while (!this.#paused && !this.#closing) {
      const data = this.#held.shift();
      if (data === undefined) {
        this.#readOn();
        return;
      }
      this.#events.receive(data);
    }
  }

  #startDeadline(): void {
    this.#deadline ??= setTimeout(() => this.#webSocket.terminate(), CLOSE_DEADLINE_MS).unref();
  }

  #closed(): void {
    this.#closing = true;
    clearTimeout(this.#deadline);
    this.#writer.closed();
    this.#events.networkClosed(this.#cause ?? CLOSED_BY_CLIENT);
  }
}

const FIN_AND_BINARY = 0x82;

/** RFC 6455, 5.2: a server's frames are not masked. */
function binaryFrameHeader(length: number): Uint8Array {
  if (length < 126) return Uint8Array.of(FIN_AND_BINARY, length);
  if (length < 65_536) return Uint8Array.of(FIN_AND_BINARY, 126, length >>> 8, length & 0xff);
  const header = new Uint8Array(10);
  header[0] = FIN_AND_BINARY;
  header[1] = 127;
  new DataView(header.buffer).setBigUint64(2, BigInt(length));
  return header;
}
