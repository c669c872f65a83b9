/** As many bytes go to a client about which nothing is known: at 9600 baud they take 8.5 s. */
export const TRUST_BYTES_MIN = 8192;

/** What is known of one client's reading: how much of what was written it has surely received. */
export class Trust {
  /** All that was ever written. */
  writtenBytes = 0;
  /** An answer came since the system was last asked what waits. */
  wasAnswered = false;
  /** So many are written without a doubt. */
  trustBytes: number = TRUST_BYTES_MIN;
  #provenBytes = 0;

  /** Written since it was last seen that the client receives them. */
  get unprovenBytes(): number {
    return this.writtenBytes - this.#provenBytes;
  }

  /** More was written than is trusted to arrive. */
  get isDoubted(): boolean {
    return this.unprovenBytes > this.trustBytes;
  }

  /** Who answers reads: what was written before has arrived. */
  answered(): void {
    this.#provenBytes = this.writtenBytes;
    this.wasAnswered = true;
  }

  /** Of all that was written so many have not been received. */
  waits(bytes: number): void {
    this.#provenBytes = this.writtenBytes - bytes;
    this.wasAnswered = false;
  }
}
