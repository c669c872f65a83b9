/** One packet as it came, with what only the stream knows of it. */
export interface Frame {
  /** The whole packet; of one beyond the limit only its beginning. */
  readonly bytes: Buffer;
  /** With fixed header. */
  readonly totalBytes: number;
  /** How much of it came in the segment it began in. */
  readonly firstSegmentBytes: number;
  /** The whole of it is there. */
  readonly whole: boolean;
}

export class MalformedLength extends Error {}

const FIXED_HEADER_BYTES_MAX = 5;

/**
 * Cuts a stream into packets. Of packets beyond `keptBytesMax` only the beginning is kept while
 * they are read to their end, as a device with one buffer does.
 */
export class FrameReader {
  readonly #keptBytesMax: number;
  readonly #header: number[] = [];
  #parts: Buffer[] = [];
  #keptBytes = 0;
  #readBytes = 0;
  /** Undefined until the fixed header is there. */
  #totalBytes: number | undefined;
  #firstSegmentBytes = 0;
  /** The packet under way began in an earlier segment. */
  #spans = false;

  constructor(keptBytesMax: number = Number.POSITIVE_INFINITY) {
    this.#keptBytesMax = Math.max(keptBytesMax, FIXED_HEADER_BYTES_MAX);
  }

  /** A packet has begun and is not complete. */
  get inPacket(): boolean {
    return this.#readBytes > 0;
  }

  /** Type of the packet that has begun. */
  get typeInPacket(): number {
    return (this.#header[0] ?? 0) >> 4;
  }

  /** Hands on each packet that ends in this segment, until `take` wants no more. */
  feed(segment: Buffer, take: (frame: Frame) => boolean): void {
    let at = 0;
    while (at < segment.length) {
      const wantedBytes =
        this.#totalBytes === undefined ? 1 : Math.max(0, this.#totalBytes - this.#readBytes);
      const bytes = Math.min(wantedBytes, segment.length - at);
      this.#keep(segment.subarray(at, at + bytes));
      if (this.#totalBytes === undefined) this.#header.push(segment[at]!);
      at += bytes;
      this.#totalBytes ??= totalOf(this.#header);
      if (this.#readBytes === this.#totalBytes && !take(this.#takeFrame(this.#totalBytes))) return;
    }
    if (!this.#spans) this.#firstSegmentBytes = this.#readBytes;
    this.#spans = this.#readBytes > 0;
  }

  #keep(bytes: Buffer): void {
    this.#readBytes += bytes.length;
    const kept = bytes.subarray(0, Math.max(0, this.#keptBytesMax - this.#keptBytes));
    if (kept.length === 0) return;
    this.#parts.push(kept);
    this.#keptBytes += kept.length;
  }

  #takeFrame(totalBytes: number): Frame {
    const bytes = Buffer.concat(this.#parts);
    const whole = bytes.length === totalBytes;
    const firstSegmentBytes = this.#spans ? this.#firstSegmentBytes : totalBytes;
    this.#parts = [];
    this.#header.length = 0;
    this.#keptBytes = 0;
    this.#readBytes = 0;
    this.#totalBytes = undefined;
    this.#spans = false;
    return { bytes, totalBytes, firstSegmentBytes, whole };
  }
}

/** Undefined while the Remaining Length is not complete. */
function totalOf(header: readonly number[]): number | undefined {
  const last = header.at(-1)!;
  if (header.length === 1) return undefined;
  if (last >= 0x80) {
    if (header.length === FIXED_HEADER_BYTES_MAX) throw new MalformedLength();
    return undefined;
  }
  const digits = header.slice(1);
  const length = digits.reduce((sum, digit, index) => sum + (digit & 0x7f) * 128 ** index, 0);
  return header.length + length;
}
