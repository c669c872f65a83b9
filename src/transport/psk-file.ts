/** Pre-shared keys by identity. */
export type PskTable = ReadonlyMap<string, Buffer>;

export interface PskFile {
  readonly keys: PskTable;
  /** Sentences, each with its line. */
  readonly faults: readonly string[];
  /** Keys that are too short to be safe, each with its line. */
  readonly weak: readonly string[];
}

const IDENTITY_BYTES_MAX = 128;
const KEY_BYTES_MAX = 64;
const SAFE_KEY_BYTES = 16;

/** Reads `identity:key` lines, the key in hexadecimal; `#` begins a comment line. */
export function parsePskFile(text: string): PskFile {
  const keys = new Map<string, Buffer>();
  const faults: string[] = [];
  const weak: string[] = [];
  text.split(/\r?\n/).forEach((line, i) => {
    if (line.trim() === '' || line.startsWith('#')) return;
    const at = line.lastIndexOf(':');
    const identity = line.slice(0, Math.max(at, 0));
    const hex = line.slice(at + 1).trim();
    const fault = faultOf(identity, hex) ?? (keys.has(identity) ? 'is there twice' : undefined);
    if (fault !== undefined) {
      faults.push(`line ${i + 1}: ${identity === '' ? 'it' : identity} ${fault}`);
      return;
    }
    const secret = Buffer.from(hex, 'hex');
    keys.set(identity, secret);
    if (secret.length < SAFE_KEY_BYTES) {
      weak.push(`line ${i + 1}: the key of ${identity} has ${secret.length} bytes`);
    }
  });
  return { keys, faults, weak };
}

// The key itself is never told.
function faultOf(identity: string, hex: string): string | undefined {
  if (identity === '') return 'is no identity:key';
  if (Buffer.byteLength(identity) > IDENTITY_BYTES_MAX) {
    return `is longer than ${IDENTITY_BYTES_MAX} bytes`;
  }
  if (!/^([0-9a-f]{2})+$/i.test(hex)) return 'has a key that is not hexadecimal digits in pairs';
  if (hex.length > 2 * KEY_BYTES_MAX) return `has a key of more than ${KEY_BYTES_MAX} bytes`;
  return undefined;
}
