const IDENTIFIER_MAX = 65_535;
/** Beyond this many the oldest may be given again. */
const WITHHELD_MAX = 1024;

/**
 * Gives Packet Identifiers that are not in use (section 2.2.1), going round so that none comes back
 * soon.
 */
export class PacketIdentifiers {
  #next = 1;
  #withheld: Set<number> | undefined = undefined;

  /** The caller keeps fewer than 65,535 in use, so there is always one. [MQTT-2.2.1-4] */
  allocate(inUse: { has(packetIdentifier: number): boolean }): number {
    let identifier = this.#next;
    while (inUse.has(identifier) || this.#withheld?.has(identifier) === true) {
      identifier = following(identifier);
      // All the others are in use.
      if (identifier === this.#next) this.#withheld = undefined;
    }
    this.#next = following(identifier);
    return identifier;
  }

  /**
   * Of a QoS 2 exchange that was ended without the client, which may still take the next message
   * with this identifier for a copy: it is not given to another one.
   */
  withhold(identifier: number): void {
    this.#withheld ??= new Set();
    this.#withheld.add(identifier);
    if (this.#withheld.size <= WITHHELD_MAX) return;
    const [oldest] = this.#withheld;
    this.#withheld.delete(oldest!);
  }

  get isWithholding(): boolean {
    return this.#withheld !== undefined && this.#withheld.size > 0;
  }

  /** The client is done with it after all. */
  finished(identifier: number): void {
    this.#withheld?.delete(identifier);
  }
}

function following(identifier: number): number {
  return identifier === IDENTIFIER_MAX ? 1 : identifier + 1;
}
