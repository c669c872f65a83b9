/** A record of the store cannot be what this program wrote. The message says which and why. */
export class DamagedRecord extends Error {
  override readonly name = 'DamagedRecord';

  constructor(key: Uint8Array, why: string) {
    super(`The store's record ${keyText(key)} is damaged: ${why}.`);
  }
}

/** A key as a person can read it: the family's letter, then hexadecimal; `R` as its Topic Name. */
export function keyText(key: Uint8Array): string {
  const family = String.fromCharCode(key[0] ?? 0x3f);
  const rest = key.subarray(1);
  if (family === 'R' || family === 'M') {
    return `${family} ${new TextDecoder().decode(rest.map((byte) => (byte === 0 ? 0x2f : byte)))}`;
  }
  return `${family} ${Array.from(rest, (byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}
