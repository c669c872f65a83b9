import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { BrokerKind } from '../brokers/broker.js';
import type { BenchCase } from '../cases/catalog.js';
import type { CaseResult } from '../load/result.js';
import type { CompareOptions } from './options.js';

const generator = fileURLToPath(new URL('../load.ts', import.meta.url));
const RUN_MS_MAX = 600_000;

export interface Run {
  readonly result: CaseResult;
  readonly setup: string;
}

/** A new broker and a new generator for one run, so that none inherits anything. */
export async function runOnce(
  kind: BrokerKind,
  benchCase: BenchCase,
  options: CompareOptions,
  core: number | undefined,
): Promise<Run> {
  const broker = await kind.start({
    needsStore: benchCase.needsStore,
    needsWebSocket: benchCase.shape?.transport === 'websocket',
    core,
    nodeArguments: [],
  });
  const { port, pid, webSocketPort } = broker.target;
  try {
    const output = await outputOf([
      ...['--import', 'tsx', generator, benchCase.name, '--json'],
      ...['--url', `mqtt://127.0.0.1:${port}`, '--pid', String(pid)],
      ...(webSocketPort === undefined ? [] : ['--websocket-port', String(webSocketPort)]),
      ...['--seconds', String(options.seconds), '--warm-up', String(options.warmUpSeconds)],
    ]);
    return { result: JSON.parse(output) as CaseResult, setup: broker.setup };
  } catch (error) {
    const failure = error instanceof Error ? error.message : String(error);
    return { result: { failure }, setup: broker.setup };
  } finally {
    await broker.stop();
  }
}

/** The generator's line of JSON; whatever else it says is why there is none. */
function outputOf(command: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, command, { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    let errors = '';
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      errors += chunk.toString();
    });
    const deadline = setTimeout(() => child.kill('SIGKILL'), RUN_MS_MAX);
    child.once('close', (_code, signal) => {
      clearTimeout(deadline);
      if (output.startsWith('{')) resolve(output);
      else reject(new Error(signal === null ? (errors.split('\n')[0] ?? '') : 'it took too long'));
    });
  });
}
