import { type ChildProcess, spawn } from 'node:child_process';
import { buildIfStale, repositoryFolder, serverMain } from './build-if-stale.js';
import { launchMosquitto } from './mosquitto-process.js';
import {
  type BrokerProcess,
  type LaunchedBroker,
  readLines,
  remember,
  superviseBroker,
} from './supervised-process.js';

export interface BrokerOptions {
  /** More arguments for the command line. */
  readonly arguments?: readonly string[];
}

const START_MS_MAX = 90_000;

/**
 * Starts Dunlin on free ports. `TEST_BROKER=mosquitto` starts Mosquitto in its place, which tells a
 * wrong test from a wrong broker.
 */
export async function startBroker(options: BrokerOptions = {}): Promise<BrokerProcess> {
  if (process.env['TEST_BROKER'] === 'mosquitto') return superviseBroker(launchMosquitto);
  await buildIfStale();
  return superviseBroker((dataFolder, log) =>
    launchDunlin(dataFolder, log, options.arguments ?? []),
  );
}

async function launchDunlin(
  dataFolder: string,
  log: string[],
  more: readonly string[],
): Promise<LaunchedBroker> {
  const listeners = ['--listen', 'mqtt://127.0.0.1:0', '--listen', 'ws://127.0.0.1:0/mqtt'];
  const child = spawn(
    process.execPath,
    [serverMain, ...listeners, '--data', dataFolder, '--log-format', 'json', ...more],
    { cwd: repositoryFolder, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  const ports = await listeningPorts(child, log);
  return { child, ...ports };
}

/** Waits for the two log lines that tell which ports the operating system gave. */
function listeningPorts(
  child: ChildProcess,
  log: string[],
): Promise<{ port: number; webSocketPort: number }> {
  return new Promise((resolve, reject) => {
    let port = 0;
    let webSocketPort = 0;
    const fail = (why: string) => {
      child.kill('SIGKILL');
      reject(new Error(`the broker did not start: ${why}\n${log.join('\n')}`));
    };
    const deadline = setTimeout(() => fail('no listener in time'), START_MS_MAX);
    const onExit = (code: number | null) => fail(`exit code ${code}`);
    child.once('exit', onExit);
    const onLine = (line: string) => {
      remember(log, line);
      const url = listeningUrl(line);
      if (url?.protocol === 'mqtt:') port = Number(url.port);
      if (url?.protocol === 'ws:') webSocketPort = Number(url.port);
      if (port === 0 || webSocketPort === 0) return;
      clearTimeout(deadline);
      child.off('exit', onExit);
      resolve({ port, webSocketPort });
    };
    readLines(child, onLine);
  });
}

function listeningUrl(line: string): URL | undefined {
  if (!line.startsWith('{')) return undefined;
  const entry = JSON.parse(line) as { event?: string; url?: string };
  return entry.event === 'listening' && entry.url !== undefined ? new URL(entry.url) : undefined;
}
