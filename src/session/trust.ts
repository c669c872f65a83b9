/** As many bytes go to a client about which nothing is known. */
export const TRUST_BYTES_MIN = 65_536;

/** What is known of one client's reading: how much of what was written it has surely received. */
export class Trust {
  /** Bytes written since it was last seen that the client receives them. */
  unprovenBytes = 0;
  /** An answer came since the system was last asked what waits. */
  wasAnswered = false;
  /** So many of them are written without a doubt. */
  trustBytes: number = TRUST_BYTES_MIN;

  /** More was written than is trusted to arrive. */
  get isDoubted(): boolean {
    return this.unprovenBytes > this.trustBytes;
  }

  /** Who answers reads: what was written before has arrived. */
  answered(): void {
    this.unprovenBytes = 0;
    this.wasAnswered = true;
  }
}
