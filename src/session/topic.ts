/** A Topic Name as the broker interned it. */
export interface Topic {
  readonly bytes: Uint8Array;
  readonly name: string;
}
