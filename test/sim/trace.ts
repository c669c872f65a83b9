const LINES_KEPT = 60;
const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/** Everything that happened, as a hash; the last lines in full, for whoever looks at a failure. */
export class Trace {
  #hash = FNV_OFFSET;
  readonly #lines: string[] = [];
  readonly #linesKept: number;
  count = 0;

  constructor(linesKept: number = LINES_KEPT) {
    this.#linesKept = linesKept;
  }

  get hash(): string {
    return (this.#hash >>> 0).toString(16).padStart(8, '0');
  }

  get lastLines(): readonly string[] {
    return this.#lines;
  }

  add(line: string): void {
    this.count++;
    let hash = this.#hash;
    for (let i = 0; i < line.length; i++) hash = Math.imul(hash ^ line.charCodeAt(i), FNV_PRIME);
    this.#hash = hash;
    this.#lines.push(line);
    if (this.#lines.length > this.#linesKept) this.#lines.shift();
  }

  addBytes(bytes: Uint8Array): void {
    let hash = this.#hash;
    for (let i = 0; i < bytes.length; i++) hash = Math.imul(hash ^ bytes[i]!, FNV_PRIME);
    this.#hash = hash;
  }
}
