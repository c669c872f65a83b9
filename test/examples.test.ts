import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import mqtt from 'mqtt';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { buildIfStale, repositoryFolder } from './support/build-if-stale.js';
import { ChildProgram } from './support/child-program.js';

const BUILD_MS_MAX = 300_000;
const TCP_ANYWHERE = 'mqtt://127.0.0.1:0';

beforeAll(() => buildIfStale(), BUILD_MS_MAX);

function run(name: string, ...args: string[]): ChildProgram {
  const example = new ChildProgram(process.execPath, [
    join(repositoryFolder, 'examples', name),
    ...args,
  ]);
  onTestFinished(() => example.kill());
  return example;
}

/** The address in the example's first line. */
async function address(example: ChildProgram): Promise<string> {
  return /\S+:\/\/\S+/.exec((await example.take(1))[0]!)![0];
}

async function endsPolitely(example: ChildProgram): Promise<void> {
  example.kill('SIGTERM');
  expect(await example.exited).toBe(0);
}

test('embed', async () => {
  const example = run('embed.js', TCP_ANYWHERE);
  const client = await mqtt.connectAsync(await address(example), { clientId: 'visitor' });
  expect((await example.take(1))[0]).toMatch(/^visitor came from 127\.0\.0\.1/);
  await client.endAsync();
  expect(await example.take(1)).toEqual(['visitor left']);
  await endsPolitely(example);
});

test('hooks', async () => {
  const example = run('hooks.js', TCP_ANYWHERE);
  const url = await address(example);
  const options = { protocolVersion: 5, reconnectPeriod: 0 } as const;
  const wrong = mqtt.connectAsync(url, { ...options, username: 'kitchen', password: 'wrong' });
  await expect(wrong).rejects.toThrow();
  expect(await example.take(1)).toEqual(['refused kitchen with reason code 134']);
  const kitchen = await mqtt.connectAsync(url, {
    ...options,
    username: 'kitchen',
    password: 'kettle',
  });
  onTestFinished(() => kitchen.endAsync(true));
  await kitchen.publishAsync('home/kitchen/light', 'on', { qos: 1 });
  await expect(kitchen.publishAsync('home/bath/light', 'on', { qos: 1 })).rejects.toThrow();
  await kitchen.endAsync();
  await endsPolitely(example);
});

test('in-process client', async () => {
  expect(await run('in-process-client.js').succeed()).toEqual([
    'home/kitchen/temperature is 19.5: heating on',
    'home/bath/temperature is 23: heating off',
    'home/attic/temperature is 12: heating on',
  ]);
});

test('web page', async () => {
  const example = run('web-page.js', '0', 'ws://127.0.0.1:0/mqtt');
  const url = await address(example);
  const page = await (await fetch(url)).text();
  const script = await (await fetch(`${url}mqtt.js`)).text();
  expect(script).toContain('mqtt');
  const webSocketUrl = /ws:\/\/[^']+/.exec(page)![0];
  const client = await mqtt.connectAsync(webSocketUrl);
  await client.publishAsync('bell', 'now', { qos: 1 });
  await client.endAsync();
  await endsPolitely(example);
});

test('persistent store', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'dunlin-example-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const expected of ['run number 1', 'run number 2', 'run number 3']) {
    expect(await run('persistent-store.js', folder).succeed()).toEqual([expected]);
  }
});
