import { chmodSync, mkdtempSync, readFileSync, rmSync, watch, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Logger } from '../../src/base/log.js';
import { ServiceManager } from '../../src/server/service-manager.js';
import { type LogLine, recordingLogger } from '../broker/recording-logger.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'dunlin-notify-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A program in place of systemd's, which writes down what it is told. */
function program(script: string): NodeJS.ProcessEnv {
  const file = join(folder, 'systemd-notify');
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
  return { PATH: `${folder}:${process.env['PATH']}`, NOTIFY_SOCKET: '/run/nobody' };
}

async function told(lines: number): Promise<string[]> {
  const log = join(folder, 'log');
  const watcher = watch(folder);
  try {
    for (;;) {
      const text = readFileSync(log, { encoding: 'utf8', flag: 'a+' });
      const whole = text.split('\n').slice(0, -1);
      if (whole.length >= lines) return whole;
      await new Promise((resolve) => watcher.once('change', resolve));
    }
  } finally {
    watcher.close();
  }
}

test('systemd hears of the start, of life, and of the end', async () => {
  const environment = { ...program(`echo "$@" >> ${folder}/log`), WATCHDOG_USEC: '20000' };
  const manager = new ServiceManager(environment, recordingLogger([]));
  manager.ready('listening on x');
  const [first, second] = await told(2);
  expect([first, second].toSorted()).toEqual(['--ready --status=listening on x', 'WATCHDOG=1']);
  manager.stopping();
  for (let lines = 3; ; lines++) {
    const line = (await told(lines)).at(-1);
    if (line !== 'WATCHDOG=1') {
      expect(line).toBe('STOPPING=1 --status=stopping');
      return;
    }
  }
});

test('where systemd has not asked, nothing is told', async () => {
  const { NOTIFY_SOCKET: _, ...environment } = program(`echo "$@" >> ${folder}/log`);
  const silent = new ServiceManager(environment, recordingLogger([]));
  silent.ready('unheard');
  silent.stopping();
  new ServiceManager({ ...environment, NOTIFY_SOCKET: '/run/x' }, recordingLogger([])).ready('x');
  expect(await told(1)).toEqual(['--ready --status=x']);
});

test('a program that fails is told of, with what to do', async () => {
  const lines: LogLine[] = [];
  const logger = recordingLogger(lines);
  await new Promise<void>((resolve) => {
    const log: Logger = {
      ...logger,
      warn: (fields, sentence) => {
        logger.warn(fields, sentence);
        resolve();
      },
    };
    new ServiceManager(program('exit 3'), log).ready('x');
  });
  expect(lines).toMatchObject([
    { level: 'warn', event: 'notify_failed', reason: 'systemd-notify ended with 3' },
  ]);
});
