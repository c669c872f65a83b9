import { expect } from 'vitest';
import type { BrokerWorld } from '../broker-world.js';
import { encoded, type Fields } from '../packets.js';
import type { TestClient } from '../test-client.js';

export interface SmallDeviceOptions {
  readonly version?: 3 | 4 | 5;
  readonly clean?: boolean;
  /** A packet over this is dropped unread, or ends the connection. */
  readonly bufferBytes: number;
  readonly closes: boolean;
  /** Drops the connection where a write has more than one PUBLISH. */
  readonly isFragile?: boolean;
  readonly subscribes?: { readonly topic: string; readonly qos: 0 | 1 | 2 };
  readonly pingSeconds?: number;
}

/** Firmware with a small receive buffer: it connects again whenever it has dropped its connection. */
export class SmallDevice {
  readonly payloads: string[] = [];
  connections = 0;
  drops = 0;
  client!: TestClient;
  readonly #world: BrokerWorld;
  readonly #name: string;
  readonly #options: SmallDeviceOptions;
  #writes = 0;
  #pingedMs = 0;

  constructor(world: BrokerWorld, name: string, options: SmallDeviceOptions) {
    this.#world = world;
    this.#name = name;
    this.#options = options;
  }

  connect(): void {
    const { version = 4, clean = false, subscribes, pingSeconds = 15 } = this.#options;
    this.connections++;
    this.client = this.#world.connect(this.#name, { clean, keepalive: pingSeconds }, version);
    this.#writes = this.client.writes;
    this.#pingedMs = this.#world.time.nowMs;
    if (subscribes !== undefined) {
      this.client.send(this.client.subscribePacket(subscribes.topic, { qos: subscribes.qos }));
    }
  }

  /** Lives for so long, in steps of a tenth of a second. */
  live(ms: number, reconnectMs = 1000): void {
    const endMs = this.#world.time.nowMs + ms;
    while (this.#world.time.nowMs < endMs) {
      if (!this.#read()) {
        this.drops++;
        this.client.drop();
        this.#world.advance(reconnectMs);
        this.connect();
      }
      this.#world.advance(100);
      this.#ping();
    }
  }

  /** Whether the connection goes on. */
  #read(): boolean {
    const { version = 4, bufferBytes, closes, isFragile = false } = this.#options;
    const packets = this.client.packets();
    const writes = this.client.writes - this.#writes;
    this.#writes = this.client.writes;
    const publishes = packets.filter(({ cmd }) => cmd === 'publish');
    if (isFragile && publishes.length > 1 && writes < packets.length) return false;
    for (const packet of publishes) {
      const bytes = encoded(packet, version).length;
      if (bytes > bufferBytes && closes) return false;
      if (bytes <= bufferBytes) this.#take(packet);
    }
    expect(this.client.isClosed).toBe(false);
    return true;
  }

  #take({ payload, qos, messageId }: Fields): void {
    this.payloads.push(String(payload));
    if (qos === 1) this.client.puback(Number(messageId));
  }

  #ping(): void {
    const { nowMs } = this.#world.time;
    if (nowMs - this.#pingedMs < (this.#options.pingSeconds ?? 15) * 1000) return;
    this.#pingedMs = nowMs;
    this.client.send({ cmd: 'pingreq' });
  }
}
