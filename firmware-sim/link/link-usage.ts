import type { Clock } from '../base/clock.js';

/** Somebody who pays for the radio. */
export interface RadioMeter {
  /** A packet is on the air, either way, for so long. */
  packet(way: 'up' | 'down', wireBytes: number, airtimeMs: number, atMs: number): void;
}

/** What a link carried, all connections together. */
export class LinkUsage {
  payloadBytesUp = 0;
  payloadBytesDown = 0;
  /** With headers, handshakes, ends and acknowledgements of TCP. */
  wireBytesUp = 0;
  wireBytesDown = 0;
  segmentsUp = 0;
  segmentsDown = 0;
  airtimeMs = 0;
  connections = 0;
  meter: RadioMeter | undefined;
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get wireBytes(): number {
    return this.wireBytesUp + this.wireBytesDown;
  }

  segment(way: 'up' | 'down', payloadBytes: number, wireBytes: number, airtimeMs: number): void {
    if (way === 'up') {
      this.payloadBytesUp += payloadBytes;
      this.segmentsUp++;
    } else {
      this.payloadBytesDown += payloadBytes;
      this.segmentsDown++;
    }
    this.packet(way, wireBytes, airtimeMs);
  }

  /** A packet without payload: SYN, FIN, a bare acknowledgement. */
  packet(way: 'up' | 'down', wireBytes: number, airtimeMs: number): void {
    if (wireBytes === 0) return;
    if (way === 'up') this.wireBytesUp += wireBytes;
    else this.wireBytesDown += wireBytes;
    this.airtimeMs += airtimeMs;
    this.meter?.packet(way, wireBytes, airtimeMs, this.#clock.nowMs());
  }
}
