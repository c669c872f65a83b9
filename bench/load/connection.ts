import { connect, type Socket } from 'node:net';
import { type PacketVisitor, PacketWalker } from './packet-walker.js';
import { binaryFrame, upgradeRequest, WebSocketReader } from './websocket-frames.js';

const READ_BYTES = 256 * 1024;
/** Reading is synchronous, so all sockets read into one buffer and reading allocates nothing. */
const readBuffer = Buffer.allocUnsafeSlow(READ_BYTES);

export interface Address {
  readonly host: string;
  readonly port: number;
  readonly transport: 'tcp' | 'websocket';
}

export interface LoadHandler extends PacketVisitor {
  /** A read has come, at this time; its packets follow. */
  beforeRead(nowMs: number): void;
  /** The read has been walked through: time for what is done once for many packets. */
  afterRead(): void;
  closed(cause: string): void;
}

/** One socket of the load generator. */
export class LoadConnection {
  readonly #socket: Socket;
  readonly #isWebSocket: boolean;
  #beforeUpgrade: Uint8Array[] | undefined;
  #cause = 'the broker closed the connection';

  constructor(address: Address, handler: LoadHandler) {
    const { host, port } = address;
    const walker = new PacketWalker(handler);
    this.#isWebSocket = address.transport === 'websocket';
    this.#beforeUpgrade = this.#isWebSocket ? [] : undefined;
    const reader = new WebSocketReader(
      () => this.#upgraded(),
      (bytes, from, to) => walker.walk(bytes, from, to),
    );
    const isWebSocket = this.#isWebSocket;
    this.#socket = connect({
      host,
      port,
      noDelay: true,
      onread: {
        buffer: readBuffer,
        callback: (length, bytes) => {
          handler.beforeRead(performance.now());
          if (isWebSocket) reader.read(bytes, length);
          else walker.walk(bytes, 0, length);
          handler.afterRead();
          return true;
        },
      },
    });
    if (isWebSocket) this.#socket.write(upgradeRequest(host, port));
    this.#socket.on('error', (error) => {
      this.#cause = error.message;
    });
    this.#socket.on('close', () => handler.closed(this.#cause));
  }

  /** The bytes must not change until they have left. */
  write(bytes: Uint8Array): void {
    if (this.#beforeUpgrade !== undefined) this.#beforeUpgrade.push(bytes);
    else this.#socket.write(this.#isWebSocket ? binaryFrame(bytes) : bytes);
  }

  /** Writes what stands in WebSocket frames already, if this is a WebSocket. */
  writeFramed(bytes: Uint8Array): void {
    this.#socket.write(bytes);
  }

  /** Without a DISCONNECT and without leaving the port in use for a minute. */
  destroy(): void {
    this.#socket.resetAndDestroy();
  }

  /** After what was written. */
  end(): void {
    this.#socket.end();
  }

  #upgraded(): void {
    const waiting = this.#beforeUpgrade ?? [];
    this.#beforeUpgrade = undefined;
    for (const bytes of waiting) this.write(bytes);
  }
}
