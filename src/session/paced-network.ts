import { TimerEntry, type Timers } from '../base/clock.js';
import { Fifo } from '../base/fifo.js';
import { PacketType } from '../wire/control-packet.js';
import type { NetworkConnection, Peer, WriteRelease } from './network-connection.js';

/** QoS 0 messages that wait for a client with a pace of its own. */
export const PACED_BYTES_MAX = 16_384;

/** How a client takes what it is sent. */
export interface Pace {
  /** 0 is as fast as it takes them. */
  readonly bytesPerSecond: number;
  /** Between a QoS 0 message and the next one: nothing else tells when it was taken. */
  readonly quietMs: number;
}

export interface PacedOwner {
  /** Nothing waits any more. */
  drained(): void;
}

/**
 * A network connection for a client with a small parser: one packet a write, messages no faster
 * than their pace, and everything else ahead of them. It sits between Outbox and transport, and
 * needs no more than the packets' own headers.
 */
export class PacedNetwork extends TimerEntry implements NetworkConnection {
  readonly #network: NetworkConnection;
  readonly #pace: Pace;
  readonly #timers: Timers;
  readonly #owner: PacedOwner;
  readonly #messages = new Fifo<Uint8Array>();
  #waitingBytes = 0;

  constructor(network: NetworkConnection, pace: Pace, timers: Timers, owner: PacedOwner) {
    super(rested);
    this.#network = network;
    this.#pace = pace;
    this.#timers = timers;
    this.#owner = owner;
  }

  get peer(): Peer {
    return this.#network.peer;
  }

  /** Above 0 also while the next message has to wait. */
  get unsentBytes(): number {
    return this.#waitingBytes + this.#network.unsentBytes + (this.armed ? 1 : 0);
  }

  /** Whole packets, as an Outbox writes them. They are copied. */
  write(parts: readonly Uint8Array[], release: WriteRelease): void {
    const bytes = joined(parts);
    release.written(parts);
    for (let at = 0; at < bytes.length; ) {
      const end = packetEnd(bytes, at);
      const packet = bytes.subarray(at, end);
      if (bytes[at]! >>> 4 === PacketType.PUBLISH) {
        this.#messages.push(packet);
        this.#waitingBytes += packet.length;
      } else {
        // It is the last packet: nothing may follow it.
        if (bytes[at]! >>> 4 === PacketType.DISCONNECT) this.flush();
        this.#network.write([packet], NOTHING_TO_RELEASE);
      }
      at = end;
    }
    this.#goOn();
  }

  /** The transport has given everything away; whether nothing waits here either. */
  drained(): boolean {
    this.#goOn();
    return this.unsentBytes === 0;
  }

  /** The connection ends: what waits leaves now. */
  flush(): void {
    this.#timers.disarm(this);
    for (;;) {
      const packet = this.#messages.shift();
      if (packet === undefined) break;
      this.#network.write([packet], NOTHING_TO_RELEASE);
    }
    this.#waitingBytes = 0;
  }

  pauseReading(): void {
    this.#network.pauseReading();
  }

  resumeReading(): void {
    this.#network.resumeReading();
  }

  close(how: 'after-flush' | 'now'): void {
    if (how === 'after-flush') this.flush();
    else this.#timers.disarm(this);
    this.#network.close(how);
  }

  /** The pause is over. */
  rested(): void {
    this.#goOn();
    if (this.unsentBytes === 0) this.#owner.drained();
  }

  #goOn(): void {
    while (!this.armed && this.#network.unsentBytes === 0) {
      const packet = this.#messages.shift();
      if (packet === undefined) return;
      this.#waitingBytes -= packet.length;
      this.#network.write([packet], NOTHING_TO_RELEASE);
      const restMs = this.#restMs(packet);
      if (restMs > 0) this.#timers.arm(this, restMs);
    }
  }

  #restMs(packet: Uint8Array): number {
    const { bytesPerSecond, quietMs } = this.#pace;
    const rateMs = bytesPerSecond === 0 ? 0 : Math.ceil((packet.length * 1000) / bytesPerSecond);
    const isQoS0 = (packet[0]! & 0x06) === 0;
    return Math.max(rateMs, isQoS0 ? quietMs : 0);
  }
}

const NOTHING_TO_RELEASE: WriteRelease = { written() {} };

function rested(entry: TimerEntry): void {
  if (entry instanceof PacedNetwork) entry.rested();
}

/** Behind the packet that begins at `at`. */
function packetEnd(bytes: Uint8Array, at: number): number {
  let length = 0;
  let factor = 1;
  let next = at + 1;
  for (;;) {
    const byte = bytes[next++]!;
    length += (byte & 0x7f) * factor;
    if (byte < 0x80) return next + length;
    factor *= 128;
  }
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
