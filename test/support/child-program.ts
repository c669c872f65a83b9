import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

const LINE_MS_MAX = 90_000;

/** A program beside the broker, read line by line. */
export class ChildProgram {
  /** The exit code; null when a signal ended it. */
  readonly exited: Promise<number | null>;

  readonly #child: ChildProcessWithoutNullStreams;
  readonly #name: string;
  readonly #lines: string[] = [];
  readonly #errors: string[] = [];
  #arrived: () => void = () => {};

  constructor(command: string, args: readonly string[]) {
    this.#name = [command, ...args].join(' ');
    this.#child = spawn(command, args);
    this.exited = new Promise((resolve, reject) => {
      this.#child.once('error', reject);
      this.#child.once('close', (code) => {
        resolve(code);
        this.#arrived();
      });
    });
    createInterface({ input: this.#child.stdout }).on('line', (line) => {
      this.#lines.push(line);
      this.#arrived();
    });
    createInterface({ input: this.#child.stderr }).on('line', (line) => this.#errors.push(line));
  }

  /** Takes the next lines of its output. */
  async take(count: number): Promise<string[]> {
    const deadline = performance.now() + LINE_MS_MAX;
    while (this.#lines.length < count) {
      const leftMs = deadline - performance.now();
      if (leftMs <= 0) {
        const errors = this.#errors.join('\n');
        throw new Error(`${this.#lines.length} of ${count} lines from ${this.#name}\n${errors}`);
      }
      await this.#next(leftMs);
    }
    return this.#lines.splice(0, count);
  }

  /** Waits until a line has this text in it, and takes it with all lines before it. */
  async takeUntil(text: string): Promise<string[]> {
    const taken: string[] = [];
    for (;;) {
      const line = (await this.take(1))[0]!;
      taken.push(line);
      if (line.includes(text)) return taken;
    }
  }

  /** Waits for its end; throws with what it complained about when the exit code is not 0. */
  async succeed(): Promise<string[]> {
    const code = await this.exited;
    if (code !== 0) {
      throw new Error(`exit code ${code} from ${this.#name}\n${this.#errors.join('\n')}`);
    }
    return this.#lines.splice(0);
  }

  write(line: string): void {
    this.#child.stdin.write(`${line}\n`);
  }

  writeBytes(bytes: Uint8Array): void {
    this.#child.stdin.write(bytes);
  }

  /** No more input. */
  end(): void {
    this.#child.stdin.end();
  }

  kill(signal: NodeJS.Signals = 'SIGKILL'): void {
    this.#child.kill(signal);
  }

  #next(withinMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, withinMs);
      this.#arrived = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
