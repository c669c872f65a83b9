import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { generate, type Packet, parser } from 'mqtt-packet';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { seededRandom } from '../../firmware-sim/base/random.js';
import { openPacketLink, type PacketLink } from '../../firmware-sim/packet-link/packet-link.js';
import { buildIfStale, serverMain } from '../support/build-if-stale.js';
import { ChildProgram } from '../support/child-program.js';
import { seedFromEnvironment } from '../support/seed.js';

const PORT = 1883;
/** 9600 baud. */
const LINK_BYTES_PER_SECOND = 960;
/** Half as much again as the link takes. */
const FLOW_BYTES_PER_SECOND = 1440;
const MESSAGE_BYTES = 200;
const FLOW_EVERY_MS = 100;
const ROUNDS = 12;
const ROUND_MS = 5000;
/** The first rounds fill what the system takes on trust, and find the link slow. */
const FIRST_ROUNDS = 5;
/** Where messages wait in the system it is 15,000 to 25,000. */
const BYTES_BEFORE_ANSWER_MAX = 6000;
const seed = seedFromEnvironment();

let link: PacketLink;
let broker: ChildProgram;

beforeAll(async () => {
  await buildIfStale();
  const path = { bytesPerSecond: LINK_BYTES_PER_SECOND, latencyMs: 5 };
  link = await openPacketLink({ up: path, down: path, random: seededRandom(seed) });
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

/** A client of MQTT 3.1.1 by hand, on one side of the link. */
async function enter(side: 'broker' | 'device', clientId: string) {
  const socket: Socket = connect(await link.doorTo(PORT, side));
  onTestFinished(() => {
    socket.destroy();
  });
  const packets = parser();
  let bytes = 0;
  const arrived: { readonly packet: Packet; readonly bytes: number }[] = [];
  packets.on('packet', (packet: Packet) => arrived.push({ packet, bytes }));
  socket.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    packets.parse(chunk);
  });
  await once(socket, 'connect');
  const send = (packet: Packet): void => {
    socket.write(generate(packet));
  };
  const identity = { protocolId: 'MQTT', protocolVersion: 4, clientId } as const;
  send({ cmd: 'connect', clean: true, keepalive: 0, ...identity });
  await expect.poll(() => arrived.length, { timeout: 100_000 }).toBe(1);
  return { send, arrived, bytes: () => bytes };
}

test('PUBACK and PINGRESP overtake a flow of QoS 0 that is more than 9600 baud take', async () => {
  const device = await enter('device', 'device');
  const backend = await enter('broker', 'backend');
  device.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 'flow', qos: 0 }] });
  await expect.poll(() => device.arrived.length, { timeout: 100_000 }).toBe(2);
  let sent = 0;
  const beganMs = performance.now();
  // As much as is due by now, however late this process is called.
  const flow = setInterval(() => {
    const dueBytes = ((performance.now() - beganMs) * FLOW_BYTES_PER_SECOND) / 1000;
    while (sent * MESSAGE_BYTES < dueBytes) {
      const payload = `${++sent} `.padEnd(MESSAGE_BYTES, 'x');
      backend.send({ cmd: 'publish', topic: 'flow', payload, qos: 0, dup: false, retain: false });
    }
  }, FLOW_EVERY_MS);
  onTestFinished(() => clearInterval(flow));
  const bytesBefore: number[] = [];
  for (let round = 1; round <= ROUNDS; round++) {
    await delay(ROUND_MS);
    const asked = { bytes: device.bytes(), packets: device.arrived.length };
    const reading = { topic: 'reading', payload: `${round}`, dup: false, retain: false };
    device.send({ cmd: 'publish', qos: 1, messageId: 100 + round, ...reading });
    device.send({ cmd: 'pingreq' });
    for (const cmd of ['puback', 'pingresp']) {
      const answer = () =>
        device.arrived.slice(asked.packets).find(({ packet }) => packet.cmd === cmd);
      await expect.poll(answer, { timeout: 100_000 }).toBeDefined();
      if (round > FIRST_ROUNDS) bytesBefore.push(answer()!.bytes - asked.bytes);
    }
  }
  bytesBefore.sort((one, other) => one - other);
  const numbers = device.arrived
    .map(({ packet }) => packet)
    .filter((packet) => packet.cmd === 'publish')
    .map(({ payload }) => Number.parseInt(payload.toString(), 10));
  expect(numbers.length).toBeGreaterThan(100);
  expect(numbers).toEqual([...numbers].sort((one, other) => one - other));
  expect(bytesBefore[bytesBefore.length / 2], bytesBefore.join()).toBeLessThan(
    BYTES_BEFORE_ANSWER_MAX,
  );
  const told = (await broker.takeUntil('"slow_link"')).at(-1);
  expect(told).toMatch(/"client":"device".*"bytesPerSecond":\d/);
});
