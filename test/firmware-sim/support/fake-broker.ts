import { generate, type Packet, type Parser, parser } from 'mqtt-packet';
import type { FarEnd } from './far-end.js';

/** The broker's side of one device, in the hands of a test: it reads packets and answers by hand. */
export class FakeBroker {
  readonly received: Packet[] = [];
  readonly #far: FarEnd;
  #seen = 0;
  #parser: Parser;
  #dials = 0;
  readonly #version: number;

  constructor(far: FarEnd, version = 4) {
    this.#far = far;
    this.#version = version;
    this.#parser = this.#fresh();
  }

  /** Packets that came since the last time. */
  take(): Packet[] {
    if (this.#far.dials !== this.#dials) {
      this.#dials = this.#far.dials;
      this.#parser = this.#fresh();
    }
    const fresh = this.#far.written.slice(this.#seen);
    this.#seen = this.#far.written.length;
    const before = this.received.length;
    for (const bytes of fresh) this.#parser.parse(bytes);
    return this.received.slice(before);
  }

  names(): string[] {
    return this.take().map(({ cmd }) => cmd);
  }

  send(packet: Packet): void {
    this.#far.send(generate(packet, { protocolVersion: this.#version }));
  }

  #fresh(): Parser {
    const fresh = parser({ protocolVersion: this.#version });
    fresh.on('packet', (packet) => this.received.push(packet));
    return fresh;
  }
}
