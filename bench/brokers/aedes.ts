import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { repositoryFolder } from '../../test/support/build-if-stale.js';
import { BrokerChild, type BrokerKind, type RunningBroker, type StartOptions } from './broker.js';

const server = fileURLToPath(new URL('./aedes-server.ts', import.meta.url));

export interface AedesPorts {
  readonly port: number;
  readonly webSocketPort: number;
}

/** Aedes, which keeps everything in memory unless it is given a LevelDB. */
export function aedes(name: 'aedes' | 'aedes-level'): BrokerKind {
  return {
    name,
    version: () => {
      const own = versionOf('aedes');
      return name === 'aedes' ? own : `${own} with LevelDB ${versionOf('aedes-persistence-level')}`;
    },
    start: (options) => start(name, options),
  };
}

async function start(name: string, options: StartOptions): Promise<RunningBroker> {
  const broker = new BrokerChild();
  const child = broker.spawn(options.core, [
    process.execPath,
    ...options.nodeArguments,
    '--import',
    'tsx',
    server,
    ...(name === 'aedes-level' ? [broker.folder] : []),
  ]);
  const ports = await broker.fromOutput(child, (line) =>
    line.startsWith('{') ? (JSON.parse(line) as AedesPorts) : undefined,
  );
  const target = { host: '127.0.0.1', ...ports, pid: broker.pid };
  return { target, setup: `bench/brokers/aedes-server.ts (${name})`, stop: () => broker.stop() };
}

function versionOf(name: string): string {
  const file = join(repositoryFolder, 'node_modules', name, 'package.json');
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
