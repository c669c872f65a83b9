/**
 * Sees every packet where it lies in the read buffer: `start` is its first byte, `body` the first
 * after the length.
 */
export interface PacketVisitor {
  packet(bytes: Uint8Array, start: number, body: number, end: number): void;
}

const INCOMPLETE = -1;
const LENGTH_BYTES_MAX = 4;
const NO_BYTES = Buffer.alloc(0);

/**
 * Cuts a byte stream into MQTT packets without copying, except for the one packet that spans two
 * reads.
 */
export class PacketWalker {
  readonly #visitor: PacketVisitor;
  #carry = NO_BYTES;
  #carried = 0;

  constructor(visitor: PacketVisitor) {
    this.#visitor = visitor;
  }

  walk(bytes: Uint8Array, from: number, to: number): void {
    let at = this.#carried > 0 ? this.#finishCarried(bytes, from, to) : from;
    while (at < to) {
      const next = this.#step(bytes, at, to);
      if (next === INCOMPLETE) break;
      at = next;
    }
    if (at < to) this.#keep(bytes, at, to);
  }

  /** Visits the packet at `at` and returns where the next begins. */
  #step(bytes: Uint8Array, at: number, to: number): number {
    let remaining = 0;
    let shift = 0;
    let body = at + 1;
    for (;;) {
      if (body >= to) return INCOMPLETE;
      const digit = bytes[body++]!;
      remaining |= (digit & 0x7f) << shift;
      if (digit < 0x80) break;
      shift += 7;
    }
    const end = body + remaining;
    if (end > to) return INCOMPLETE;
    this.#visitor.packet(bytes, at, body, end);
    return end;
  }

  /** Completes the carried packet from the new bytes and returns where they go on. */
  #finishCarried(bytes: Uint8Array, from: number, to: number): number {
    let at = from;
    while (at < to) {
      // Byte by byte while the length is unknown, then as many as the packet is known to want.
      const wanted = this.#carriedPacketBytes() - this.#carried;
      const part = Math.min(wanted, to - at);
      this.#keep(bytes, at, at + part);
      at += part;
      if (part === wanted && this.#step(this.#carry, 0, this.#carried) === this.#carried) {
        this.#carried = 0;
        return at;
      }
    }
    return at;
  }

  /** The length of the carried packet as far as its bytes tell. */
  #carriedPacketBytes(): number {
    let remaining = 0;
    for (let at = 1; at <= LENGTH_BYTES_MAX; at++) {
      if (at >= this.#carried) return this.#carried + 1;
      const digit = this.#carry[at]!;
      remaining |= (digit & 0x7f) << (7 * (at - 1));
      if (digit < 0x80) return at + 1 + remaining;
    }
    throw new Error('a Remaining Length of more than four bytes');
  }

  #keep(bytes: Uint8Array, from: number, to: number): void {
    const needed = this.#carried + to - from;
    if (needed > this.#carry.length) {
      const larger = Buffer.allocUnsafeSlow(needed * 2);
      this.#carry.copy(larger, 0, 0, this.#carried);
      this.#carry = larger;
    }
    this.#carry.set(bytes.subarray(from, to), this.#carried);
    this.#carried = needed;
  }
}
