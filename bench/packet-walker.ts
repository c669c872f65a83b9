/**
 * Sees every packet where it lies in the read buffer: `start` is its first byte, `body` the first
 * after the length.
 */
export interface PacketVisitor {
  packet(bytes: Uint8Array, start: number, body: number, end: number): void;
}

const INCOMPLETE = -1;

/**
 * Cuts a byte stream into MQTT packets without copying, except for the one packet that spans two
 * reads.
 */
export class PacketWalker {
  readonly #visitor: PacketVisitor;
  #carry = Buffer.alloc(1024);
  #carried = 0;

  constructor(visitor: PacketVisitor) {
    this.#visitor = visitor;
  }

  walk(bytes: Uint8Array, length: number): void {
    let at = this.#carried > 0 ? this.#finishCarried(bytes, length) : 0;
    while (at < length) {
      const next = this.#step(bytes, at, length);
      if (next === INCOMPLETE) break;
      at = next;
    }
    if (at < length) this.#keep(bytes, at, length);
  }

  /** Visits the packet at `at` and returns where the next begins. */
  #step(bytes: Uint8Array, at: number, length: number): number {
    let remaining = 0;
    let shift = 0;
    let body = at + 1;
    for (;;) {
      if (body >= length) return INCOMPLETE;
      const digit = bytes[body++]!;
      remaining |= (digit & 0x7f) << shift;
      if (digit < 0x80) break;
      shift += 7;
    }
    const end = body + remaining;
    if (end > length) return INCOMPLETE;
    this.#visitor.packet(bytes, at, body, end);
    return end;
  }

  /** Completes the carried packet from the new bytes and returns how many of them it took. */
  #finishCarried(bytes: Uint8Array, length: number): number {
    let taken = 0;
    while (taken < length) {
      // Two bytes at least, then as many as the packet is known to want.
      const wanted = this.#carriedPacketBytes() - this.#carried;
      const part = Math.min(wanted, length - taken);
      this.#keep(bytes, taken, taken + part);
      taken += part;
      if (part === wanted && this.#step(this.#carry, 0, this.#carried) === this.#carried) {
        this.#carried = 0;
        return taken;
      }
    }
    return taken;
  }

  /** The length of the carried packet as far as its bytes tell. */
  #carriedPacketBytes(): number {
    let remaining = 0;
    for (let at = 1; at < 5; at++) {
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
      const larger = Buffer.alloc(needed * 2);
      this.#carry.copy(larger, 0, 0, this.#carried);
      this.#carry = larger;
    }
    this.#carry.set(bytes.subarray(from, to), this.#carried);
    this.#carried = needed;
  }
}
