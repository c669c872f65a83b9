import { connect, type Socket } from 'node:net';
import { generate, type Packet } from 'mqtt-packet';
import { expect, test } from 'vitest';
import { SeededRandom } from '../../src/base/random.js';
import { createBroker } from '../../src/index.js';
import { PacketSocket } from '../support/packet-socket.js';
import { seedFromEnvironment } from '../support/seed.js';

const PUBLISHERS = 24;
const SUBSCRIBERS = 6;
const MESSAGES = 40;
const LENGTHS = [0, 3, 60, 900, 1500, 4096, 20_000, 70_000];

/**
 * All connections read into one buffer: whatever the broker keeps of a message beyond its read, for
 * another receiver, a queue, a retained message or a packet that comes in pieces, must be its own.
 */
test('no message is changed by what other connections send in the same turn', async () => {
  const seed = seedFromEnvironment();
  const random = new SeededRandom(seed);
  const broker = await createBroker({
    listen: ['mqtt://127.0.0.1:0'],
    limits: { outboxBytesMax: 64 * 1024 * 1024 },
  });
  const port = Number(new URL(broker.addresses[0]!).port);
  const subscribers = await Promise.all(
    Array.from({ length: SUBSCRIBERS }, (_, i) => Subscriber.connect(port, i, seed)),
  );
  const sending = Array.from({ length: PUBLISHERS }, (_, i) => publisherBytes(i, random));
  const sockets = await Promise.all(sending.map(() => connected(port)));
  // Pieces of all connections lie ready in the same turn, cut anywhere.
  const at = sending.map(() => 0);
  while (at.some((offset, i) => offset < sending[i]!.length)) {
    sockets.forEach((socket, i) => {
      const from = at[i]!;
      at[i] = from + 1 + random.below(random.below(3) === 0 ? 40 : 30_000);
      if (from < sending[i]!.length) socket.write(sending[i]!.subarray(from, at[i]));
    });
    await new Promise(setImmediate);
  }
  for (const subscriber of subscribers) await subscriber.all;
  const late = await Subscriber.connect(port, SUBSCRIBERS, seed, PUBLISHERS);
  await late.all;
  const faults = [...subscribers, late].flatMap((subscriber) => subscriber.faults);
  expect(faults, `seed ${seed}`).toEqual([]);
  for (const socket of sockets) socket.destroy();
  for (const subscriber of [...subscribers, late]) subscriber.destroy();
  await broker.close();
});

/** The payload tells from itself what it must be: publisher, number, length, then a sequence. */
function payloadOf(publisher: number, number: number, length: number): Buffer {
  const payload = Buffer.alloc(6 + length);
  payload.writeUInt8(publisher, 0);
  payload.writeUInt8(number, 1);
  payload.writeUInt32BE(length, 2);
  for (let i = 0; i < length; i++) payload[6 + i] = (publisher * 31 + number * 7 + i) & 0xff;
  return payload;
}

function publisherBytes(publisher: number, random: SeededRandom): Buffer {
  const packets = [encode({ ...CONNECT, clientId: `publisher-${publisher}` })];
  for (let number = 0; number < MESSAGES; number++) {
    const length = LENGTHS[random.below(LENGTHS.length)]! + random.below(5);
    // The last is retained: a later subscriber gets it from memory.
    const retain = number === MESSAGES - 1;
    const qos = random.below(2) as 0 | 1;
    const payload = payloadOf(publisher, number, length);
    const topic = `from/${publisher}`;
    const messageId = number + 1;
    packets.push(encode({ cmd: 'publish', topic, payload, qos, messageId, retain, dup: false }));
  }
  return Buffer.concat(packets);
}

const CONNECT = {
  cmd: 'connect',
  protocolId: 'MQTT',
  protocolVersion: 4,
  clean: true,
  keepalive: 0,
} as const;

function encode(packet: Packet): Buffer {
  return generate(packet, { protocolVersion: 4 });
}

function connected(port: number): Promise<Socket> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => resolve(socket));
    socket.setNoDelay(true);
    // Answers are read and left alone.
    socket.resume();
  });
}

/** Takes everything, every second one with QoS 1, and compares each byte. */
class Subscriber {
  readonly faults: string[] = [];
  readonly all: Promise<void>;
  readonly #socket: PacketSocket;
  readonly #expected: number;
  #seen = 0;
  #subscribed: () => void = () => {};
  #done: () => void = () => {};

  private constructor(port: number, expected: number) {
    this.#expected = expected;
    this.all = new Promise((resolve) => {
      this.#done = resolve;
    });
    this.#socket = new PacketSocket(port, 4, {
      packet: (packet) => this.#received(packet),
      closed: () => this.#done(),
    });
  }

  static async connect(
    port: number,
    index: number,
    seed: number,
    expected = PUBLISHERS * MESSAGES,
  ): Promise<Subscriber> {
    const subscriber = new Subscriber(port, expected);
    const isSubscribed = new Promise<void>((resolve) => {
      subscriber.#subscribed = resolve;
    });
    subscriber.#socket.send({ ...CONNECT, clientId: `subscriber-${seed}-${index}` });
    const qos = (index % 2) as 0 | 1;
    const subscriptions = [{ topic: 'from/+', qos }];
    subscriber.#socket.send({ cmd: 'subscribe', messageId: 1, subscriptions });
    await isSubscribed;
    return subscriber;
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #received(packet: Packet): void {
    if (packet.cmd === 'suback') this.#subscribed();
    if (packet.cmd !== 'publish') return;
    if (packet.qos === 1) this.#socket.send({ cmd: 'puback', messageId: packet.messageId! });
    const payload = packet.payload as Buffer;
    const [publisher, number] = [payload[0]!, payload[1]!];
    const right = payloadOf(publisher, number, payload.readUInt32BE(2));
    if (packet.topic !== `from/${publisher}` || !payload.equals(right)) {
      this.faults.push(`${packet.topic}: message ${number} of ${publisher} was changed`);
    }
    if (++this.#seen === this.#expected) this.#done();
  }
}
