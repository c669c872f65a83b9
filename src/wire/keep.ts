const NO_BYTES = new Uint8Array(0);

/**
 * An exact copy of `bytes[start..end)` that may outlive the tick and does not pin the read chunk.
 * (`Buffer.prototype.slice` would make a view.)
 */
export function keep(bytes: Uint8Array, start = 0, end: number = bytes.length): Uint8Array {
  if (start === end) return NO_BYTES;
  const kept = new Uint8Array(end - start);
  kept.set(bytes.subarray(start, end));
  return kept;
}
