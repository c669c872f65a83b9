import { unwatchFile, watchFile } from 'node:fs';

const LOOK_MS = 2000;

/** Tells when one of some files was changed, made or removed: looked at every two seconds. */
export class FileWatch {
  readonly #changed: () => void;
  #paths: readonly string[] = [];

  constructor(changed: () => void) {
    this.#changed = changed;
  }

  /** These files from now on; those that are watched already stay so, without a gap. */
  set paths(paths: readonly string[]) {
    if (paths.join('\n') === this.#paths.join('\n')) return;
    this.close();
    this.#paths = paths;
    // `stat` again and again sees also what was replaced by renaming, and works on network drives.
    for (const path of paths) {
      watchFile(path, { interval: LOOK_MS, persistent: false }, this.#changed);
    }
  }

  close(): void {
    for (const path of this.#paths) unwatchFile(path, this.#changed);
    this.#paths = [];
  }
}
