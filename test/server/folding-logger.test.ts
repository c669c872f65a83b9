import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { FoldingLogger } from '../../src/server/folding-logger.js';
import { type LogLine, recordingLogger } from '../broker/recording-logger.js';

let lines: LogLine[];
let levels: string[];
let log: FoldingLogger;

beforeEach(() => {
  vi.useFakeTimers();
  lines = [];
  levels = [];
  log = new FoldingLogger(
    { ...recordingLogger(lines), setLevel: (level) => levels.push(level) },
    'info',
  );
});

afterEach(() => {
  vi.useRealTimers();
});

function say(times: number, client: string, address = '192.0.2.1:1000'): void {
  for (let i = 0; i < times; i++) log.info({ event: 'connected', client, address }, 'came');
}

test('what repeats is told once a minute, with its number', () => {
  say(47, 'a');
  say(3, 'b');
  expect(lines.length).toBe(13);
  vi.advanceTimersByTime(60_000);
  expect(lines.slice(13)).toEqual([
    {
      level: 'info',
      event: 'connected',
      client: 'a',
      address: '192.0.2.1',
      repeated: 37,
      sentence: '37 more lines of connected about client a in the last minute',
    },
  ]);
  say(1, 'a');
  expect(lines.length).toBe(15);
});

test('strangers are told apart by their host, whatever the port', () => {
  for (let port = 1; port <= 12; port++) {
    log.warn({ event: 'refused', address: `192.0.2.1:${port}` }, 'no');
    log.warn({ event: 'refused', address: `[2001:db8::1]:${port}` }, 'no');
  }
  expect(lines.length).toBe(20);
  log.flush();
  expect(lines.slice(20).map(({ sentence }) => sentence)).toEqual([
    '2 more lines of refused about 192.0.2.1 in the last minute',
    '2 more lines of refused about [2001:db8::1] in the last minute',
  ]);
});

test('who is refused is told apart by the host as well, whatever the name', () => {
  for (let i = 0; i < 12; i++) {
    log.warn({ event: 'refused', client: `name-${i}`, address: `192.0.2.1:${i}` }, 'no');
  }
  expect(lines.length).toBe(10);
});

test('what is about nobody, and everything at debug, is written as it comes', () => {
  for (let i = 0; i < 20; i++) log.error({ event: 'accept_failed' }, 'no');
  expect(lines.length).toBe(20);
  log.setLevel('debug');
  expect(levels).toEqual(['debug']);
  say(20, 'a');
  expect(lines.length).toBe(40);
});

test('many clients at once are not kept', () => {
  for (let i = 0; i < 5000; i++) say(1, `client-${i}`);
  expect(lines.length).toBe(5000);
});
