import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { buildIfStale, serverMain } from '../support/build-if-stale.js';

export interface CommandOptions {
  readonly environment?: NodeJS.ProcessEnv | undefined;
  /** Files of the process cannot grow beyond this: its disk is full. */
  readonly fileKiBMax?: number;
}

/** The command in a process of its own, with all it says. */
export class Command {
  readonly child: ChildProcess;
  output = '';
  errors = '';
  readonly #exit: Promise<unknown[]>;

  private constructor(folder: string, args: readonly string[], options: CommandOptions) {
    const env = { PATH: process.env['PATH'], HOME: folder, ...options.environment };
    const command = [process.execPath, serverMain, ...args];
    const limit = options.fileKiBMax ?? 'unlimited';
    const wrapped = ['-c', `ulimit -f ${limit}; exec "$@"`, 'bash', ...command];
    this.child = spawn('bash', wrapped, { cwd: folder, env });
    this.#exit = once(this.child, 'close');
    this.child.stdout!.on('data', (chunk: Buffer) => {
      this.output += chunk.toString();
    });
    this.child.stderr!.on('data', (chunk: Buffer) => {
      this.errors += chunk.toString();
    });
  }

  static async start(
    folder: string,
    args: readonly string[],
    options: CommandOptions = {},
  ): Promise<Command> {
    await buildIfStale();
    return new Command(folder, args, options);
  }

  /** Waits until the output holds the text. */
  async says(text: string): Promise<void> {
    while (!this.output.includes(text)) {
      const ended = this.#exit.then(() => 'ended');
      const more = once(this.child.stdout!, 'data');
      if ((await Promise.race([more, ended])) === 'ended' && !this.output.includes(text)) {
        throw new Error(`it ended without saying ${text}:\n${this.output}${this.errors}`);
      }
    }
  }

  /** The URLs it listens on, from its log in JSON. */
  async addresses(): Promise<string[]> {
    await this.says('"event":"ready"');
    const listening = this.output.matchAll(/"event":"listening","url":"([^"]+)"/g);
    return [...listening].map(([, url]) => url!);
  }

  async exitCode(): Promise<number | null> {
    await this.#exit;
    return this.child.exitCode;
  }

  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.#exit;
  }
}
