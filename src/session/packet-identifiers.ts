const IDENTIFIER_MAX = 65_535;

/**
 * Gives Packet Identifiers that are not in use (section 2.2.1), going round so that none comes back
 * soon.
 */
export class PacketIdentifiers {
  #next = 1;

  /** The caller keeps fewer than 65,535 in use, so there is always one. [MQTT-2.2.1-4] */
  allocate(inUse: { has(packetIdentifier: number): boolean }): number {
    let identifier = this.#next;
    while (inUse.has(identifier)) identifier = following(identifier);
    this.#next = following(identifier);
    return identifier;
  }
}

function following(identifier: number): number {
  return identifier === IDENTIFIER_MAX ? 1 : identifier + 1;
}
