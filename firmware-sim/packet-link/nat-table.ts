const TCP = 6;
const SYN = 0x02;
const FLAGS_AT = 13;

/**
 * Forgets a connection that is silent for too long, as the address translation of a carrier does:
 * its packets vanish from then on, either way, and nobody is told. A new connection is let through.
 */
export class NatTable {
  readonly #idleMsMax: number;
  /** When a packet of it last passed, by the port on the device's side. */
  readonly #seenMs = new Map<number, number>();

  constructor(idleMsMax: number) {
    this.#idleMsMax = idleMsMax;
  }

  /** Whether an IPv4 packet passes; what is not TCP always does. */
  passes(packet: Uint8Array, way: 'up' | 'down', nowMs: number): boolean {
    const headerBytes = (packet[0]! & 0x0f) * 4;
    if (packet[0]! >> 4 !== 4 || packet[9] !== TCP || packet.length <= headerBytes + FLAGS_AT) {
      return true;
    }
    const at = headerBytes + (way === 'up' ? 0 : 2);
    const port = (packet[at]! << 8) | packet[at + 1]!;
    const isNew = way === 'up' && (packet[headerBytes + FLAGS_AT]! & SYN) !== 0;
    const seenMs = this.#seenMs.get(port);
    const isKnown = seenMs !== undefined && nowMs - seenMs <= this.#idleMsMax;
    if (!isNew && !isKnown) return false;
    this.#seenMs.set(port, nowMs);
    return true;
  }
}
