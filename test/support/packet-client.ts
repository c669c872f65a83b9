import type { IConnackPacket, IConnectPacket, Packet, PacketCmd } from 'mqtt-packet';
import { PacketSocket } from './packet-socket.js';

const WAIT_MS_MAX = 90_000;

interface Waiter {
  readonly wanted: (packet: Packet) => boolean;
  readonly resolve: (packet: Packet) => void;
}

/**
 * A client by hand for tests: sends what it is told and acknowledges nothing by itself. What arrives
 * waits until it is asked for.
 */
export class PacketClient {
  readonly closed: Promise<void>;
  isClosed = false;
  readonly arrived: Packet[] = [];
  /** All bytes that came, for what mqtt-packet does not keep. */
  readonly bytes: Buffer[] = [];

  readonly #socket: PacketSocket;
  #waiter: Waiter | undefined;

  constructor(port: number, version: 4 | 5) {
    let close: () => void = () => {};
    this.closed = new Promise((resolve) => {
      close = resolve;
    });
    this.#socket = new PacketSocket(port, version, {
      packet: (packet) => this.#receive(packet),
      bytes: (chunk) => this.bytes.push(chunk),
      closed: () => {
        this.isClosed = true;
        close();
      },
    });
  }

  send(packet: Packet): void {
    this.#socket.send(packet);
  }

  sendBytes(bytes: Uint8Array): void {
    this.#socket.sendBytes(bytes);
  }

  stopReading(): void {
    this.#socket.stopReading();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** Takes the first packet of this kind, which may have arrived already. */
  async take<C extends PacketCmd>(cmd: C): Promise<Extract<Packet, { cmd: C }>> {
    const packet = await this.takeWhere((candidate) => candidate.cmd === cmd, cmd);
    return packet as Extract<Packet, { cmd: C }>;
  }

  takeWhere(wanted: (packet: Packet) => boolean, what = 'packet'): Promise<Packet> {
    const index = this.arrived.findIndex(wanted);
    if (index >= 0) return Promise.resolve(this.arrived.splice(index, 1)[0]!);
    return new Promise((resolve, reject) => {
      const deadline = setTimeout(() => reject(new Error(`no ${what} came`)), WAIT_MS_MAX);
      this.#waiter = {
        wanted,
        resolve: (packet) => {
          clearTimeout(deadline);
          resolve(packet);
        },
      };
    });
  }

  #receive(packet: Packet): void {
    const waiter = this.#waiter;
    if (waiter?.wanted(packet) === true) {
      this.#waiter = undefined;
      waiter.resolve(packet);
    } else {
      this.arrived.push(packet);
    }
  }
}

export type ConnectOptions = Partial<Omit<IConnectPacket, 'cmd'>> & { readonly version?: 4 | 5 };

/** Opens a connection and sends CONNECT, without waiting for the answer. */
export function openPacketClient(port: number, options: ConnectOptions = {}): PacketClient {
  const { version = 4, ...connect } = options;
  const client = new PacketClient(port, version);
  client.send({
    cmd: 'connect',
    protocolId: 'MQTT',
    protocolVersion: version,
    clientId: '',
    clean: true,
    keepalive: 0,
    ...connect,
  });
  return client;
}

/** Opens a connection and waits for its CONNACK. */
export async function connectPacketClient(
  port: number,
  options: ConnectOptions = {},
): Promise<{ client: PacketClient; connack: IConnackPacket }> {
  const client = openPacketClient(port, options);
  return { client, connack: await client.take('connack') };
}
