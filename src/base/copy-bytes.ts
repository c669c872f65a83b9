/** Up to here a loop is cheaper than a call to `set` with a new view. */
export const LOOP_BYTES_MAX = 24;

/** Copies `source[start..end)` to `target` at `at`; returns the index behind the copy. */
export function copyBytes(
  target: Uint8Array,
  at: number,
  source: Uint8Array,
  start: number,
  end: number,
): number {
  const bytes = end - start;
  if (bytes > LOOP_BYTES_MAX) target.set(source.subarray(start, end), at);
  else for (let i = 0; i < bytes; i++) target[at + i] = source[start + i]!;
  return at + bytes;
}
