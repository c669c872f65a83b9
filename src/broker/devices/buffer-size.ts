/** What firmware is compiled with, beside powers of two. */
const USUAL_BYTES = [64, 128, 256, 384, 512, 768, 1024, 1200, 1440, 1500, 1536];

/**
 * The likeliest receive buffer of a device that acknowledged packets of `takenBytes` and none of
 * `refusedBytes`: the largest usual size between them; 0 when none is.
 */
export function likelyBufferBytes(takenBytes: number, refusedBytes: number): number {
  let likely = 0;
  for (const bytes of USUAL_BYTES) {
    if (bytes >= takenBytes && bytes < refusedBytes) likely = bytes;
  }
  for (let bytes = 2048; bytes < refusedBytes; bytes *= 2) {
    if (bytes >= takenBytes) likely = bytes;
  }
  return likely;
}
