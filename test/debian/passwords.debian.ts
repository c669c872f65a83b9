import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startBroker } from '../support/broker-process.js';
import { buildIfStale, serverMain } from '../support/build-if-stale.js';
import { ChildProgram } from '../support/child-program.js';
import type { BrokerProcess } from '../support/supervised-process.js';

let broker: BrokerProcess;
let folder: string;

beforeAll(async () => {
  await buildIfStale();
  folder = mkdtempSync(join(tmpdir(), 'dunlin-passwords-'));
  const file = join(folder, 'users');
  // A file that Mosquitto's own program began, and ours goes on with.
  execFileSync('mosquitto_passwd', ['-c', '-b', '-H', 'sha512', file, 'old', 'secret 6']);
  execFileSync('mosquitto_passwd', ['-b', file, 'anna', 'secret 7']);
  const passwd = (password: string, ...args: string[]) =>
    execFileSync(process.execPath, [serverMain, 'passwd', file, ...args], { input: password });
  passwd('sécret scrypt', 'new', '--groups', 'home');
  passwd('secret scram', 'both', '--scram');
  const config = join(folder, 'dunlin.yaml');
  writeFileSync(
    config,
    `authentication:\n  password_file: ${file}\n  guessing: { delay_seconds_max: 0 }\n`,
  );
  broker = await startBroker({ arguments: ['--config', config] });
});

afterAll(async () => {
  await broker?.stop();
  rmSync(folder, { recursive: true });
});

async function publish(version: string, ...args: string[]): Promise<number | null> {
  const address = ['-h', '127.0.0.1', '-p', `${broker.port}`, '-V', version];
  const message = ['-q', '1', '-t', 'a', '-m', 'x'];
  return new ChildProgram('mosquitto_pub', [...address, ...message, ...args]).exited;
}

test.each([
  ['old', 'secret 6'],
  ['anna', 'secret 7'],
  ['new', 'sécret scrypt'],
  ['both', 'secret scram'],
])('mosquitto_pub comes in as %s, and with no other password', async (user, password) => {
  for (const version of ['mqttv31', 'mqttv311', 'mqttv5']) {
    expect(await publish(version, '-u', user, '-P', password)).toBe(0);
    expect(await publish(version, '-u', user, '-P', `${password}x`)).not.toBe(0);
  }
});

test('nor without a user name, nor as somebody else', async () => {
  expect(await publish('mqttv5')).not.toBe(0);
  expect(await publish('mqttv311', '-u', 'nobody', '-P', 'secret 7')).not.toBe(0);
  expect(await publish('mqttv311', '-u', 'anna')).not.toBe(0);
});
