import { connect } from 'node:net';
import mqtt from 'mqtt';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { seededRandom } from '../../firmware-sim/base/random.js';
import { openPacketLink, type PacketLink } from '../../firmware-sim/packet-link/packet-link.js';
import { buildIfStale, serverMain } from '../support/build-if-stale.js';
import { ChildProgram } from '../support/child-program.js';
import { seedFromEnvironment } from '../support/seed.js';

const PORT = 1883;
const KEEP_ALIVE_SECONDS = 5;
const seed = seedFromEnvironment();

let link: PacketLink;
let broker: ChildProgram;

beforeAll(async () => {
  await buildIfStale();
  // The small packets of a mesh, and a radio that loses one in twenty.
  const path = { bytesPerSecond: 4000, latencyMs: 150, jitterMs: 80, loss: 0.05, reordering: 0.05 };
  link = await openPacketLink({ up: path, down: path, random: seededRandom(seed), mtuBytes: 128 });
  const listen = `mqtt://${link.brokerAddress}:${PORT}`;
  const [program, ...words] = link.brokerSide;
  const flags = ['--listen', listen, '--allow-anonymous', '--in-memory', '--log-format', 'json'];
  broker = new ChildProgram(program, [...words, process.execPath, serverMain, ...flags]);
  await broker.takeUntil('"listening"');
});
afterAll(async () => {
  broker.kill();
  await link.close();
});

function onDevice(...words: readonly string[]): ChildProgram {
  const [program, ...before] = link.deviceSide;
  const child = new ChildProgram(program, [...before, 'stdbuf', '-oL', ...words]);
  onTestFinished(() => child.kill());
  return child;
}

/** Beside the broker, where no packet is lost. */
async function observe(filter: string): Promise<{ readonly payloads: string[] }> {
  const door = await link.doorTo(PORT, 'broker');
  const client = new mqtt.MqttClient(() => connect(door), { keepalive: 0, reconnectPeriod: 0 });
  onTestFinished(() => client.endAsync(true));
  const payloads: string[] = [];
  client.on('message', (_topic, payload) => payloads.push(payload.toString()));
  await client.subscribeAsync(filter, { qos: 1 });
  return { payloads };
}

test('a hundred QoS 1 messages through a radio that loses and reorders packets', async () => {
  const { payloads } = await observe('lossy');
  const lostBefore = link.up.lost + link.down.lost;
  const address = ['-h', link.brokerAddress, '-p', `${PORT}`];
  const device = onDevice('mosquitto_pub', ...address, '-q', '1', '-t', 'lossy', '-l');
  const sent = Array.from({ length: 100 }, (_, i) => `reading ${i} of a long day`);
  device.write(sent.join('\n'));
  await expect.poll(() => payloads.length, { timeout: 150_000 }).toBe(sent.length);
  expect(payloads, `SEED=${seed}`).toEqual(sent);
  expect(link.up.lost + link.down.lost).toBeGreaterThan(lostBefore);
});

test('a device behind a NAT that forgot it: its will, then its return to its session', async () => {
  const { payloads } = await observe('nat/will');
  const address = ['-h', link.brokerAddress, '-p', `${PORT}`];
  const session = ['-i', 'behind-nat', '-c', '-q', '1', '-t', 'nat/command'];
  const will = ['--will-topic', 'nat/will', '--will-payload', 'lost', '--will-qos', '1'];
  const alive = ['-k', `${KEEP_ALIVE_SECONDS}`];
  const device = onDevice('mosquitto_sub', '-d', ...address, ...session, ...will, ...alive);
  await device.takeUntil('SUBACK');
  link.blackHole(true);
  const since = performance.now();
  await expect.poll(() => payloads, { timeout: 120_000 }).toEqual(['lost']);
  // The client's last packet may have come just before: not earlier than 1.5 Keep Alives after it.
  expect(performance.now() - since).toBeGreaterThan(KEEP_ALIVE_SECONDS * 500);
  const door = await link.doorTo(PORT, 'broker');
  const backend = new mqtt.MqttClient(() => connect(door), { reconnectPeriod: 0 });
  await backend.publishAsync('nat/command', 'waited', { qos: 1 });
  await backend.endAsync();
  link.blackHole(false);
  device.kill();
  const back = onDevice('mosquitto_sub', ...address, ...session, '-C', '1');
  expect(await back.succeed()).toEqual(['waited']);
});
