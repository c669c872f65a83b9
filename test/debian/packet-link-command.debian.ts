import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import mqtt, { type MqttClient } from 'mqtt';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { startBroker } from '../support/broker-process.js';
import { repositoryFolder } from '../support/build-if-stale.js';
import { ChildProgram } from '../support/child-program.js';
import type { BrokerProcess } from '../support/supervised-process.js';

const main = join(repositoryFolder, 'dist/firmware-sim/main.js');
const MINUTES_MAX = 3;
const NAT_IDLE_SECONDS = 4;

let broker: BrokerProcess;
beforeAll(async () => {
  broker = await startBroker();
});
afterAll(() => broker.stop());

/** Where devices connect to. */
async function packetLink(...flags: readonly string[]): Promise<number> {
  const words = ['packet-link', '--profile', 'lan', '--listen', '0', ...flags];
  const target = ['--broker', `mqtt://127.0.0.1:${broker.port}`];
  const child = new ChildProgram(process.execPath, [main, ...words, ...target]);
  onTestFinished(async () => {
    // It takes its namespaces down itself.
    child.kill('SIGTERM');
    await child.exited;
  });
  const [line] = await child.take(1);
  expect(line).toContain(`and 127.0.0.1:${broker.port}`);
  return Number(/127\.0\.0\.1:(\d+) and/.exec(line!)![1]);
}

async function connect(port: number): Promise<MqttClient> {
  const url = `mqtt://127.0.0.1:${port}`;
  const patience = { connectTimeout: MINUTES_MAX * 60_000, reconnectPeriod: 0, keepalive: 0 };
  const client = await mqtt.connectAsync(url, patience);
  client.on('error', () => {});
  onTestFinished(() => {
    client.end(true);
  });
  return client;
}

test(
  'real TCP brings all through packets that are lost and overtake each other',
  async () => {
    const client = await connect(await packetLink('--loss', '0.1', '--reordering', '0.1'));
    const got: string[] = [];
    client.on('message', (_topic, payload) => got.push(payload.toString()));
    await client.subscribeAsync('radio', { qos: 1 });
    const sent = Array.from({ length: 40 }, (_, i) => `reading ${i}`);
    await Promise.all(sent.map((text) => client.publishAsync('radio', text, { qos: 1 })));
    await expect.poll(() => got, { timeout: MINUTES_MAX * 60_000 }).toEqual(sent);
  },
  MINUTES_MAX * 60_000,
);

test(
  'a connection that was silent is forgotten on the way; a new one is not',
  async () => {
    const port = await packetLink('--loss', '0', '--nat-idle', String(NAT_IDLE_SECONDS));
    const silent = await connect(port);
    await silent.publishAsync('radio', 'before', { qos: 1 });
    await delay(2 * NAT_IDLE_SECONDS * 1000);
    let answered = false;
    const answer = silent.publishAsync('radio', 'forgotten', { qos: 1 }).then(
      () => {
        answered = true;
      },
      () => {},
    );
    const other = await connect(port);
    await other.publishAsync('radio', 'at once', { qos: 1 });
    expect(answered).toBe(false);
    silent.end(true);
    await answer;
  },
  MINUTES_MAX * 60_000,
);
