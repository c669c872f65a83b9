import { type FSWatcher, type Stats, statSync, watch } from 'node:fs';
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/** For programs that write several files, and for several events of one change. */
const SETTLE_MS = 250;
/** Network file systems and some containers tell of nothing. */
const POLL_MS = 30_000;

/** Calls `changed` when one of the files is another one: written, replaced, or linked anew. */
export class WatchedFiles {
  readonly #files: readonly string[];
  readonly #changed: () => void;
  readonly #watchers: FSWatcher[] = [];
  readonly #poll: NodeJS.Timeout;
  #settling: NodeJS.Timeout | undefined = undefined;
  #known: Promise<string>;

  constructor(files: readonly string[], changed: () => void) {
    this.#files = files;
    this.#changed = changed;
    // At once: whoever reads the files after this is told of every change after that.
    this.#known = Promise.resolve(signatureOf(files.map(found)));
    for (const folder of new Set(files.map((file) => dirname(file)))) this.#watch(folder);
    this.#poll = setInterval(() => this.#look(), POLL_MS).unref();
  }

  close(): void {
    clearInterval(this.#poll);
    clearTimeout(this.#settling);
    for (const watcher of this.#watchers) watcher.close();
  }

  /** The folder, since a file that is replaced is another one for the system. */
  #watch(folder: string): void {
    try {
      const watcher = watch(folder, { persistent: false }, () => this.#touched());
      watcher.on('error', () => watcher.close());
      this.#watchers.push(watcher);
    } catch {
      // Too many watchers on this machine, or a file system without them: the poll sees it too.
    }
  }

  #touched(): void {
    clearTimeout(this.#settling);
    this.#settling = setTimeout(() => this.#look(), SETTLE_MS).unref();
  }

  #look(): void {
    const before = this.#known;
    this.#known = this.#signature();
    void Promise.all([before, this.#known]).then(([one, other]) => {
      if (one !== other) this.#changed();
    });
  }

  async #signature(): Promise<string> {
    const looks = this.#files.map((file) => stat(file).catch(() => undefined));
    return signatureOf(await Promise.all(looks));
  }
}

function found(file: string): Stats | undefined {
  try {
    return statSync(file, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

function signatureOf(files: readonly (Stats | undefined)[]): string {
  return files
    .map((file) => (file === undefined ? '-' : `${file.ino} ${file.size} ${file.mtimeMs}`))
    .join('\n');
}
