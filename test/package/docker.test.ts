import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { buildIfStale, repositoryFolder } from '../support/build-if-stale.js';

const instructions = readFileSync(join(repositoryFolder, 'Dockerfile'), 'utf8')
  .replace(/\\\n\s*/g, '')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'));

function all(name: string): string[] {
  const found = instructions.filter((line) => line.startsWith(`${name} `));
  return found.map((line) => line.slice(name.length + 1));
}

/** The arguments of `CMD ["node", …]`, with this machine's Node. */
function commandOf(instruction: string): string[] {
  const command = JSON.parse(instruction.slice(instruction.indexOf('['))) as string[];
  expect(command[0]).toBe('node');
  return command.slice(1);
}

function environment(): Record<string, string> {
  const pairs = all('ENV').flatMap((line) => line.split(' '));
  return Object.fromEntries(pairs.map((pair) => pair.split('=', 2) as [string, string]));
}

beforeAll(buildIfStale);

test('what is copied from the repository exists and is let through', () => {
  const ignored = readFileSync(join(repositoryFolder, '.dockerignore'), 'utf8').split('\n');
  const copied = all('COPY').filter((line) => !line.startsWith('--from'));
  const sources = copied.flatMap((line) => line.split(' ').slice(0, -1));
  expect(sources.length).toBeGreaterThan(3);
  for (const source of sources) {
    expect(existsSync(join(repositoryFolder, source)), source).toBe(true);
    expect(ignored).toContain(`!${source}`);
  }
});

test('npm scripts that it runs exist', () => {
  const { scripts } = JSON.parse(readFileSync(join(repositoryFolder, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  const named = all('RUN').flatMap((line) => /^npm run (\S+)/.exec(line)?.[1] ?? []);
  expect(named).toEqual(['build:broker']);
  for (const name of named) expect(scripts).toHaveProperty(name);
});

test('it does not run as root and keeps its data in a volume', () => {
  expect(all('USER').at(-1)).toBe('node');
  expect(all('VOLUME')).toEqual(['/data']);
  expect(environment()['DUNLIN_DATA']).toBe('/data');
});

test('without the word that opens it, the command refuses to start and says why', () => {
  const [command] = all('CMD');
  const run = (): string =>
    execFileSync(process.execPath, commandOf(command!), {
      cwd: repositoryFolder,
      env: { PATH: process.env['PATH'], ...environment() },
      encoding: 'utf8',
      stdio: 'pipe',
    });
  expect(run).toThrow(/DUNLIN_ALLOW_ANONYMOUS=true/);
});

test('with it, the command starts and the health check agrees', async () => {
  const [command] = all('CMD');
  const data = mkdtempSync(join(tmpdir(), 'dunlin-docker-'));
  const env = {
    PATH: process.env['PATH'],
    ...environment(),
    DUNLIN_ALLOW_ANONYMOUS: 'true',
    DUNLIN_DATA: data,
    // The published ports belong to the container; here they may be taken.
    DUNLIN_LISTEN: (environment()['DUNLIN_LISTEN'] ?? '').replace(/:\d+/g, ':0'),
  };
  const broker = spawn(process.execPath, commandOf(command!), { cwd: repositoryFolder, env });
  try {
    let log = '';
    while (!log.includes('"event":"ready"')) {
      const [chunk] = (await once(broker.stdout, 'data')) as [Buffer];
      log += chunk.toString();
    }
    const port = /"url":"ws:\/\/0\.0\.0\.0:(\d+)/.exec(log)?.[1];
    const [health] = all('HEALTHCHECK');
    const check = [...commandOf(health!), `http://127.0.0.1:${port}/readyz`];
    expect(execFileSync(process.execPath, check, { cwd: repositoryFolder }).toString()).toBe(
      'ready\n',
    );
  } finally {
    broker.kill('SIGTERM');
    const [code] = (await once(broker, 'exit')) as [number];
    expect(code).toBe(0);
    rmSync(data, { recursive: true, force: true });
  }
});
