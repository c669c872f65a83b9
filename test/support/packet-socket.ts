import { connect, type Socket } from 'node:net';
import { generate, type Packet, parser } from 'mqtt-packet';

export interface PacketSocketEvents {
  packet(packet: Packet): void;
  /** The bytes as they came, before they are parsed. */
  bytes?(chunk: Buffer): void;
  /** The connection is gone; called exactly once. */
  closed(): void;
}

/** One TCP connection that speaks whole packets through mqtt-packet and knows no rules of MQTT. */
export class PacketSocket {
  readonly #socket: Socket;
  readonly #version: 4 | 5;

  constructor(port: number, version: 4 | 5, events: PacketSocketEvents) {
    this.#version = version;
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true });
    const packets = parser({ protocolVersion: version });
    packets.on('packet', (packet) => events.packet(packet));
    packets.on('error', () => this.#socket.destroy());
    this.#socket.on('data', (chunk: Buffer) => {
      events.bytes?.(chunk);
      packets.parse(chunk);
    });
    this.#socket.on('error', () => {});
    this.#socket.on('close', () => events.closed());
  }

  send(packet: Packet): void {
    if (!this.#socket.destroyed) {
      this.#socket.write(generate(packet, { protocolVersion: this.#version }));
    }
  }

  /** Sends bytes that mqtt-packet would not make. */
  sendBytes(bytes: Uint8Array): void {
    this.#socket.write(bytes);
  }

  /** Stops reading for good: the broker sees a full receive window. */
  stopReading(): void {
    this.#socket.pause();
  }

  destroy(): void {
    this.#socket.destroy();
  }
}
