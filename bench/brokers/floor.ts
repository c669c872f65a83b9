import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { connectWhenOpen, freePort } from '../../test/support/ports.js';
import { BrokerChild, type BrokerKind, type RunningBroker, type StartOptions } from './broker.js';

const source = fileURLToPath(new URL('../floor/limit.c', import.meta.url));

/** The least work that moves messages: what no broker on this machine can be below. */
export const floor: BrokerKind = {
  name: 'floor',
  version: () => {
    const compiler = spawnSync('gcc', ['--version'], { encoding: 'utf8' });
    return compiler.status === 0 ? `gcc -O2, ${compiler.stdout.split('\n')[0]}` : undefined;
  },
  start,
};

async function start(options: StartOptions): Promise<RunningBroker> {
  const broker = new BrokerChild();
  const program = join(compile(), 'limit');
  const port = await freePort();
  broker.spawn(options.core, [program, String(port)]);
  (await connectWhenOpen(port)).destroy();
  const target = { host: '127.0.0.1', port, webSocketPort: undefined, pid: broker.pid };
  return { target, setup: 'bench/floor/limit.c', stop: () => broker.stop() };
}

let compiledIn: string | undefined;

function compile(): string {
  if (compiledIn !== undefined) return compiledIn;
  const folder = mkdtempSync(join(tmpdir(), 'dunlin-floor-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const result = spawnSync('gcc', ['-O2', '-o', join(folder, 'limit'), source]);
  if (result.status !== 0) throw new Error(`gcc failed: ${result.stderr}`);
  compiledIn = folder;
  return folder;
}
