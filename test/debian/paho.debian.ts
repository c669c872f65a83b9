import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { startBroker } from '../support/broker-process.js';
import { ChildProgram } from '../support/child-program.js';
import type { BrokerProcess } from '../support/supervised-process.js';

const COUNT = 20;
const script = fileURLToPath(new URL('paho-python/round_trip.py', import.meta.url));
const source = fileURLToPath(new URL('paho-c/round-trip.c', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'dunlin-paho-'));
const program = join(folder, 'round-trip');

let broker: BrokerProcess;

beforeAll(async () => {
  const flags = ['-O1', '-Wall', '-Wextra', '-Werror', '-o', program, source, '-lpaho-mqtt3c'];
  const compiled = spawnSync('gcc', flags, { encoding: 'utf8' });
  if (compiled.status !== 0) throw new Error(compiled.stderr);
  broker = await startBroker();
});

afterAll(async () => {
  await broker.stop();
  rmSync(folder, { recursive: true });
});

type Language = 'C' | 'Python';

interface Role {
  readonly language: Language;
  readonly version: 3 | 4 | 5;
  readonly clientIdentifier: string;
  readonly topic: string;
}

function act(role: Role, action: 'publish' | 'subscribe' | 'receive', count: number): ChildProgram {
  const { language, version, clientIdentifier, topic } = role;
  const rest = [`${version}`, clientIdentifier, topic, action, `${count}`];
  const child =
    language === 'C'
      ? new ChildProgram(program, [`tcp://127.0.0.1:${broker.port}`, ...rest])
      : new ChildProgram('/usr/bin/python3', [script, `${broker.port}`, ...rest]);
  onTestFinished(() => child.kill());
  return child;
}

const languages = ['C', 'Python'] as const;
const matrix = languages.flatMap((language) =>
  ([3, 4, 5] as const).map((version) => ({ language, version })),
);

/** 3.1 has no Session Present, and Paho C 1.3 does not hand it on in 5.0. */
function tellsSessionPresent(language: Language, version: 3 | 4 | 5): boolean {
  return version === 4 || (version === 5 && language === 'Python');
}

/** Order holds within one QoS. */
function ofQoS(lines: readonly string[], qos: number): string[] {
  return lines.filter((line) => line.startsWith(`${qos} `));
}

test.each(matrix)(
  'Paho $language, version $version: a session waits through a restart',
  async (row) => {
    const { language, version } = row;
    const topic = `paho/${language}/${version}`;
    const reader = { ...row, topic, clientIdentifier: `reader-${language}-${version}` };
    const writer = { ...row, topic, clientIdentifier: `writer-${language}-${version}` };
    expect((await act(reader, 'subscribe', 0).succeed())[0]).toBe('session present 0');
    await act(writer, 'publish', COUNT).succeed();
    await broker.kill();
    await broker.restart();
    const [present, ...messages] = await act(reader, 'receive', 2 * COUNT).succeed();
    if (tellsSessionPresent(language, version)) expect(present).toBe('session present 1');
    for (const qos of [1, 2]) {
      const expected = Array.from({ length: COUNT }, (_, index) => `${qos} ${index}`);
      expect(ofQoS(messages, qos)).toEqual(expected);
    }
  },
);

const live = languages.flatMap((from) =>
  languages.flatMap((to) => ([4, 5] as const).map((version) => ({ from, to, version }))),
);

test.each(live)('from Paho $from to Paho $to, all QoS, version $version', async (row) => {
  const { from, to, version } = row;
  const topic = `live/${from}/${to}/${version}`;
  const reader = { language: to, version, topic, clientIdentifier: `live-reader-${topic}` };
  await act(reader, 'subscribe', 0).succeed();
  const receiving = act(reader, 'receive', 3 * COUNT);
  const [present] = await receiving.take(1);
  if (tellsSessionPresent(to, version)) expect(present).toBe('session present 1');
  const writer = { language: from, version, topic, clientIdentifier: `live-writer-${topic}` };
  await act(writer, 'publish', COUNT).succeed();
  const messages = await receiving.succeed();
  for (const qos of [0, 1, 2]) {
    const expected = Array.from({ length: COUNT }, (_, index) => `${qos} ${index}`);
    expect(ofQoS(messages, qos)).toEqual(expected);
  }
});
