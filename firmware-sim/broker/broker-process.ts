import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import type { BrokerKindName, BrokerUnderTest } from './broker.js';
import { freePort } from './free-port.js';

export interface BrokerCommand {
  readonly kind: BrokerKindName;
  readonly version: string;
  /** How it is set up, in a sentence for whoever reads the results. */
  readonly setUp: string;
  /** Program and arguments, given a port that is free and a folder that exists. */
  readonly command: (port: number, folder: string) => readonly string[];
}

const LOG_LINES_MAX = 200_000;
const LOG_LINES_SHOWN = 20;
const STOP_MS_MAX = 30_000;
const OPEN_ATTEMPTS_MAX = 3_600;
const OPEN_ATTEMPT_MS = 25;
const HOST = '127.0.0.1';

/** A broker as a child of this process, with a folder of its own that goes with it. */
export class BrokerProcess implements BrokerUnderTest {
  readonly kind: BrokerKindName;
  readonly version: string;
  readonly host: string = HOST;
  readonly port: number;
  readonly log: string[] = [];
  readonly #command: BrokerCommand;
  readonly #folder: string;
  #child: ChildProcess | undefined;
  #exited: Promise<void> = Promise.resolve();

  private constructor(command: BrokerCommand, port: number) {
    this.#command = command;
    this.kind = command.kind;
    this.version = command.version;
    this.port = port;
    this.#folder = mkdtempSync(join(tmpdir(), 'dunlin-sim-'));
  }

  static async start(command: BrokerCommand): Promise<BrokerProcess> {
    const broker = new BrokerProcess(command, await freePort());
    await broker.#spawn();
    return broker;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  readonly kill: () => Promise<void> = async () => {
    this.#child?.kill('SIGKILL');
    await this.#exited;
  };

  readonly restart: () => Promise<void> = () => this.#spawn();

  async stop(): Promise<void> {
    const child = this.#child;
    const force = setTimeout(() => child?.kill('SIGKILL'), STOP_MS_MAX);
    if (child?.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
    await this.#exited;
    clearTimeout(force);
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #spawn(): Promise<void> {
    const [program, ...rest] = this.#command.command(this.port, this.#folder);
    const child = spawn(program!, rest, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    let failure: string | undefined;
    for (const stream of [child.stdout, child.stderr]) {
      createInterface(stream).on('line', (line) => this.#remember(line));
    }
    this.#exited = new Promise((resolve) => {
      child.once('error', (error) => {
        failure = error.message;
        resolve();
      });
      child.once('exit', (code) => {
        failure ??= `it ended with exit code ${code}`;
        resolve();
      });
    });
    for (let attempt = 0; attempt < OPEN_ATTEMPTS_MAX; attempt++) {
      if (failure !== undefined) break;
      if (await accepts(this.port)) return;
      await delay(OPEN_ATTEMPT_MS);
    }
    await this.stop();
    const lines = this.log.slice(-LOG_LINES_SHOWN).join('\n');
    throw new Error(`${this.kind} did not start: ${failure ?? 'it does not listen'}\n${lines}`);
  }

  /** A broker that logs each of thousands of take-overs does not fill this process. */
  #remember(line: string): void {
    if (this.log.length < LOG_LINES_MAX) this.log.push(line);
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, HOST);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
