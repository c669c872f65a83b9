import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { readLines, remember } from '../../test/support/supervised-process.js';
import type { Target } from '../load/result.js';
import type { BrokerName } from './names.js';

export interface StartOptions {
  /** What the case is about must survive a restart. */
  readonly needsStore: boolean;
  readonly needsWebSocket: boolean;
  /** Undefined leaves it to the system. */
  readonly core: number | undefined;
  /** More arguments for node, where the broker runs on it. */
  readonly nodeArguments: readonly string[];
}

export interface RunningBroker {
  readonly target: Target;
  /** The command, and the configuration file where there is one. */
  readonly setup: string;
  stop(): Promise<void>;
}

export interface BrokerKind {
  readonly name: BrokerName;
  /** Undefined when it is not installed. */
  version(): string | undefined;
  start(options: StartOptions): Promise<RunningBroker>;
}

const LOG_LINES_SHOWN = 20;
const STOP_MS_MAX = 5000;

/** The command on one core alone, where the machine has several and `taskset`. */
export function pinned(core: number | undefined, command: readonly string[]): string[] {
  return core === undefined ? [...command] : ['taskset', '-c', String(core), ...command];
}

/** This process with all its threads. */
export function pinSelf(core: number): void {
  spawnSync('taskset', ['-a', '-c', '-p', String(core), String(process.pid)]);
}

export function canPin(): boolean {
  return availableParallelism() > 1 && spawnSync('taskset', ['--version']).status === 0;
}

/** A child with a folder of its own, which goes with it. */
export class BrokerChild {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'dunlin-bench-'));
  readonly #log: string[] = [];
  #child: ChildProcess | undefined = undefined;
  #exited: Promise<void> = Promise.resolve();

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  spawn(core: number | undefined, command: readonly string[]): ChildProcess {
    const [program, ...rest] = pinned(core, command);
    const child = spawn(program!, rest, { stdio: ['ignore', 'pipe', 'pipe'] });
    readLines(child, (line) => remember(this.#log, line));
    this.#exited = new Promise((resolve) => child.once('exit', () => resolve()));
    this.#child = child;
    return child;
  }

  /** The first value that `find` makes of a line of output. */
  async fromOutput<T>(child: ChildProcess, find: (line: string) => T | undefined): Promise<T> {
    return new Promise((resolve, reject) => {
      readLines(child, (line) => {
        const found = find(line);
        if (found !== undefined) resolve(found);
      });
      child.once('exit', () => {
        const lines = this.#log.slice(-LOG_LINES_SHOWN).join('\n');
        reject(new Error(`the broker ended: ${lines}`));
      });
    });
  }

  /** Politely, so that a profile is written; by force when it takes too long. */
  async stop(): Promise<void> {
    const child = this.#child;
    const force = setTimeout(() => child?.kill('SIGKILL'), STOP_MS_MAX);
    if (child?.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
    await this.#exited;
    clearTimeout(force);
    rmSync(this.folder, { recursive: true, force: true });
  }
}
