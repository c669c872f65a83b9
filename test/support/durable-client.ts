import type { IConnackPacket, Packet } from 'mqtt-packet';
import { PacketSocket } from './packet-socket.js';

export interface DurableClientOptions {
  readonly clientIdentifier: string;
  readonly version: 4 | 5;
}

const SESSION_EXPIRY_SECONDS = 86_400;

/**
 * The part that a durable publisher and a durable subscriber share: Clean Start 0, a long Session
 * Expiry Interval, and the question whether the broker still knows the Session.
 */
export abstract class DurableClient {
  /** The broker had promised something to this Session and then did not know it any more. */
  sessionsLost = 0;
  /** Connections that the broker refused. */
  refusals = 0;
  /** Runs whenever something arrived. */
  progressed: () => void = () => {};

  readonly #options: DurableClientOptions;
  #socket: PacketSocket | undefined;
  #closed: Promise<void> = Promise.resolve();
  #established = false;

  constructor(options: DurableClientOptions) {
    this.#options = options;
  }

  connect(port: number): void {
    const { clientIdentifier, version } = this.#options;
    this.#closed = new Promise((resolve) => {
      const socket = new PacketSocket(port, version, {
        packet: (packet) => this.#receive(packet),
        closed: () => {
          if (this.#socket === socket) this.#socket = undefined;
          resolve();
        },
      });
      this.#socket = socket;
      socket.send({
        cmd: 'connect',
        protocolId: 'MQTT',
        protocolVersion: version,
        clientId: clientIdentifier,
        clean: false,
        keepalive: 0,
        ...(version === 5 && { properties: { sessionExpiryInterval: SESSION_EXPIRY_SECONDS } }),
      });
    });
  }

  /** Waits until the connection is gone and everything that came before its end has been read. */
  closed(): Promise<void> {
    return this.#closed;
  }

  destroy(): void {
    this.#socket?.destroy();
  }

  get connected(): boolean {
    return this.#socket !== undefined;
  }

  protected send(packet: Packet): void {
    this.#socket?.send(packet);
  }

  /** From now on the broker has to remember this Session. */
  protected establish(): void {
    this.#established = true;
  }

  protected abstract resume(sessionPresent: boolean): void;
  protected abstract handle(packet: Packet): void;

  #receive(packet: Packet): void {
    if (packet.cmd === 'connack') this.#connected(packet);
    else this.handle(packet);
    this.progressed();
  }

  #connected(packet: IConnackPacket): void {
    if ((packet.reasonCode ?? packet.returnCode ?? 0) !== 0) {
      this.refusals++;
      return;
    }
    if (!packet.sessionPresent && this.#established) this.sessionsLost++;
    this.resume(packet.sessionPresent);
  }
}
