import { unwatchFile, watchFile } from 'node:fs';

const LOOK_MS = 2000;

/** Tells when one of some files was changed, made or removed: looked at every two seconds. */
export class FileWatch {
  readonly #changed: () => void;
  #paths: readonly string[] = [];
  #isClosed = false;

  constructor(changed: () => void) {
    this.#changed = changed;
  }

  /** These files from now on; those that are watched already stay so, without a gap. */
  set paths(paths: readonly string[]) {
    // What was being read when it was closed may still come to its end.
    if (this.#isClosed || paths.join('\n') === this.#paths.join('\n')) return;
    this.#forget();
    this.#paths = paths;
    // `stat` again and again sees also what was replaced by renaming, and works on network drives.
    for (const path of paths) {
      watchFile(path, { interval: LOOK_MS, persistent: false }, this.#changed);
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#forget();
  }

  #forget(): void {
    for (const path of this.#paths) unwatchFile(path, this.#changed);
    this.#paths = [];
  }
}
