import { connect, type Socket } from 'node:net';
import { type PacketVisitor, PacketWalker } from './packet-walker.js';

const READ_BYTES = 256 * 1024;

export interface LoadHandler extends PacketVisitor {
  /** One read has been walked through: time for what is done once for many packets. */
  afterRead(): void;
  closed(): void;
}

/**
 * One socket of the load generator: reads into one buffer for ever, so that reading allocates
 * nothing.
 */
export class LoadConnection {
  readonly #socket: Socket;

  constructor(host: string, port: number, handler: LoadHandler) {
    const walker = new PacketWalker(handler);
    const buffer = Buffer.allocUnsafeSlow(READ_BYTES);
    this.#socket = connect({
      host,
      port,
      noDelay: true,
      onread: {
        buffer,
        callback: (length, bytes) => {
          walker.walk(bytes, length);
          handler.afterRead();
          return true;
        },
      },
    });
    this.#socket.on('error', () => {});
    this.#socket.on('close', () => handler.closed());
  }

  write(bytes: Uint8Array): void {
    this.#socket.write(bytes);
  }

  destroy(): void {
    this.#socket.destroy();
  }
}
