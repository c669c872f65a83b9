import { spawn } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connectWhenOpen, freePort } from './ports.js';
import { type LaunchedBroker, readLines, remember } from './supervised-process.js';

const CANDIDATES = ['/usr/sbin/mosquitto', '/usr/local/sbin/mosquitto', '/usr/bin/mosquitto'];

const ATTEMPTS_MAX = 5;

/** Starts Mosquitto with persistence in the folder: the rival, and the judge of a doubtful test. */
export async function launchMosquitto(dataFolder: string, log: string[]): Promise<LaunchedBroker> {
  const program = CANDIDATES.find((path) => existsSync(path));
  if (program === undefined) throw new Error('mosquitto is not installed');
  // It cannot choose its ports itself, and somebody else may take one before it does.
  for (let attempt = 1; ; attempt++) {
    try {
      return await launch(program, dataFolder, log);
    } catch (error) {
      if (attempt === ATTEMPTS_MAX) throw error;
    }
  }
}

async function launch(program: string, dataFolder: string, log: string[]): Promise<LaunchedBroker> {
  const port = await freePort();
  const webSocketPort = await freePort();
  const file = join(dataFolder, 'mosquitto.conf');
  const lines = [
    'user root',
    'persistence true',
    `persistence_location ${dataFolder}/`,
    'max_queued_messages 0',
    'allow_anonymous true',
    `listener ${port} 127.0.0.1`,
    `listener ${webSocketPort} 127.0.0.1`,
    'protocol websockets',
  ];
  writeFileSync(file, `${lines.join('\n')}\n`);
  const child = spawn(program, ['-c', file], { stdio: ['ignore', 'pipe', 'pipe'] });
  readLines(child, (line) => remember(log, line));
  (await connectWhenOpen(port)).destroy();
  return { child, port, webSocketPort };
}
