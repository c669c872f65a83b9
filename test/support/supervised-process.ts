import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** A broker in a process of its own, with its data in a folder that outlives the process. */
export interface BrokerProcess {
  readonly pid: number;
  /** The ports change with every start: ask again after `restart`. */
  readonly port: number;
  readonly webSocketPort: number;
  readonly url: string;
  readonly webSocketUrl: string;
  readonly dataFolder: string;
  /** The last lines that the broker wrote: for the message of a failed test. */
  readonly log: readonly string[];
  /** Ends the process with SIGKILL and waits until it is gone. */
  kill(): Promise<void>;
  /** Asks with SIGTERM, waits for the end and returns the exit code. */
  terminate(): Promise<number | null>;
  /** Starts the broker again on the same folder, on free ports. */
  restart(): Promise<void>;
  /** Ends the process if it runs and removes its data folder. */
  stop(): Promise<void>;
}

/** A running child and the ports it listens on. */
export interface LaunchedBroker {
  readonly child: ChildProcess;
  readonly port: number;
  readonly webSocketPort: number;
}

export type Launch = (dataFolder: string, log: string[]) => Promise<LaunchedBroker>;

const LOG_LINES_MAX = 200;
const TERMINATE_MS_MAX = 90_000;

/** Keeps a broker process and its data folder through kills and restarts. */
export async function superviseBroker(launch: Launch): Promise<BrokerProcess> {
  const dataFolder = mkdtempSync(join(tmpdir(), 'dunlin-test-'));
  const log: string[] = [];
  const removeData = () => rmSync(dataFolder, { recursive: true, force: true });
  let running: LaunchedBroker | undefined = await launch(dataFolder, log).catch((error) => {
    removeData();
    throw error;
  });
  let last = running;
  const end = async (signal: NodeJS.Signals): Promise<number | null> => {
    const ending = running;
    running = undefined;
    return ending === undefined ? null : endChild(ending.child, signal);
  };
  return {
    get pid() {
      return last.child.pid ?? 0;
    },
    get port() {
      return last.port;
    },
    get webSocketPort() {
      return last.webSocketPort;
    },
    get url() {
      return `mqtt://127.0.0.1:${last.port}`;
    },
    get webSocketUrl() {
      return `ws://127.0.0.1:${last.webSocketPort}/mqtt`;
    },
    dataFolder,
    log,
    async kill() {
      await end('SIGKILL');
    },
    terminate: () => end('SIGTERM'),
    async restart() {
      await end('SIGTERM');
      running = await launch(dataFolder, log);
      last = running;
    },
    async stop() {
      await end('SIGKILL');
      removeData();
    },
  };
}

export function readLines(child: ChildProcess, onLine: (line: string) => void): void {
  for (const stream of [child.stdout, child.stderr]) {
    if (stream !== null) createInterface({ input: stream }).on('line', onLine);
  }
}

export function remember(log: string[], line: string): void {
  log.push(line);
  if (log.length > LOG_LINES_MAX) log.shift();
}

function endChild(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve(child.exitCode);
  return new Promise((resolve) => {
    const force = setTimeout(() => child.kill('SIGKILL'), TERMINATE_MS_MAX);
    child.once('exit', (code) => {
      clearTimeout(force);
      resolve(code);
    });
    child.kill(signal);
  });
}
