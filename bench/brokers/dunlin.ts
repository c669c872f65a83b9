import { existsSync } from 'node:fs';
import { join } from 'node:path';
import packageDescription from '../../package.json' with { type: 'json' };
import { buildIfStale, repositoryFolder } from '../../test/support/build-if-stale.js';
import { BrokerChild, type BrokerKind, type RunningBroker, type StartOptions } from './broker.js';

/** Dunlin as it was built in a folder; without one, as it is built here and now. */
export function dunlin(folder: string | undefined): BrokerKind {
  const main = join(folder ?? repositoryFolder, 'dist/server/main.js');
  return {
    name: 'dunlin',
    version: () => packageDescription.version,
    start: async (options) => {
      if (folder === undefined) await buildIfStale();
      else if (!existsSync(main)) throw new Error(`there is no ${main}: build it first`);
      return startDunlin(main, options);
    },
  };
}

async function startDunlin(main: string, options: StartOptions): Promise<RunningBroker> {
  const broker = new BrokerChild();
  const listeners = ['--listen', 'mqtt://127.0.0.1:0'];
  if (options.needsWebSocket) listeners.push('--listen', 'ws://127.0.0.1:0/mqtt');
  const storing = options.needsStore ? ['--data', broker.folder] : ['--in-memory'];
  const command = [
    process.execPath,
    ...options.nodeArguments,
    main,
    ...listeners,
    ...storing,
    ...['--log-format', 'json'],
  ];
  const child = broker.spawn(options.core, command);
  let port: number | undefined;
  let webSocketPort: number | undefined;
  await broker.fromOutput(child, (line) => {
    const url = listeningUrl(line);
    if (url?.protocol === 'mqtt:') port = Number(url.port);
    if (url?.protocol === 'ws:') webSocketPort = Number(url.port);
    const isComplete = !options.needsWebSocket || webSocketPort !== undefined;
    return port !== undefined && isComplete ? true : undefined;
  });
  const target = { host: '127.0.0.1', port: port ?? 0, webSocketPort, pid: broker.pid };
  const setup = `node dist/server/main.js ${options.needsStore ? '--data FOLDER' : '--in-memory'}`;
  return { target, setup, stop: () => broker.stop() };
}

function listeningUrl(line: string): URL | undefined {
  if (!line.startsWith('{')) return undefined;
  const entry = JSON.parse(line) as { event?: string; url?: string };
  return entry.event === 'listening' && entry.url !== undefined ? new URL(entry.url) : undefined;
}
