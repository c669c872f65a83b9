import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { startBroker } from '../support/broker-process.js';
import { connectMqttJs, Inbox, transports, versions } from '../support/mqtt-js.js';
import { connectPacketClient, openPacketClient } from '../support/packet-client.js';
import type { BrokerProcess } from '../support/supervised-process.js';

const CHUNK_BYTES = 32 * 1024;
const CHUNKS = 1_000;

let broker: BrokerProcess;
beforeAll(async () => {
  broker = await startBroker();
});
afterAll(() => broker.stop());

const matrix = transports.flatMap((transport) =>
  versions.map((version) => ({ transport, version })),
);

test.each(matrix)('the will of a lost connection, $transport, version $version', async (row) => {
  const { transport, version } = row;
  const topic = `will/${transport}/${version}`;
  const observer = await connectMqttJs(broker, 'tcp', 5);
  const inbox = new Inbox(observer);
  await observer.subscribeAsync(`${topic}/#`, { qos: 1 });
  const will = { topic: `${topic}/lost`, payload: Buffer.from('offline'), qos: 1 as const };
  const lost = await connectMqttJs(broker, transport, version, { will: { ...will, retain: true } });
  const left = { ...will, topic: `${topic}/left`, retain: true };
  const polite = await connectMqttJs(broker, transport, version, { will: left });
  await polite.endAsync();
  lost.stream.destroy();
  const [message] = await inbox.take(1);
  expect(message?.topic).toBe(`${topic}/lost`);
  expect(message?.payload.toString()).toBe('offline');
  await observer.publishAsync(`${topic}/fence`, 'fence', { qos: 1 });
  expect(await inbox.takeTexts(1)).toEqual(['fence']);
  const late = await connectMqttJs(broker, 'tcp', 5);
  const kept = new Inbox(late);
  await late.subscribeAsync(`${topic}/lost`);
  expect((await kept.take(1))[0]?.packet.retain).toBe(true);
});

test.each([4, 5] as const)(
  'at take-over the old will comes before the new life, version %s',
  async (version) => {
    const topic = `takeover/${version}`;
    const clientId = `plug-${version}`;
    const observer = await connectMqttJs(broker, 'tcp', 5);
    const inbox = new Inbox(observer);
    await observer.subscribeAsync(topic, { qos: 1 });
    const will = { topic, payload: 'offline', qos: 1 as const, retain: true };
    const old = await connectPacketClient(broker.port, { version, clientId, will });
    // The new life says "online" in the same segment as its CONNECT: the old will has to be there first.
    const fresh = openPacketClient(broker.port, { version, clientId, will });
    fresh.send({
      cmd: 'publish',
      topic,
      payload: 'online',
      qos: 1,
      messageId: 1,
      retain: true,
      dup: false,
    });
    await fresh.take('connack');
    await fresh.take('puback');
    expect(await inbox.takeTexts(2)).toEqual(['offline', 'online']);
    if (version === 5) expect((await old.client.take('disconnect')).reasonCode).toBe(0x8e);
    await old.client.closed;
    const late = await connectMqttJs(broker, 'tcp', 5);
    const kept = new Inbox(late);
    await late.subscribeAsync(topic);
    expect(await kept.takeTexts(1)).toEqual(['online']);
    fresh.send({ cmd: 'disconnect' });
    await fresh.closed;
  },
);

test.each([0, 1, 2] as const)('a reader that stops slows nobody, QoS %s', async (qos) => {
  const topic = `slow/${qos}`;
  const { client: stopped } = await connectPacketClient(broker.port, { version: 4 });
  onTestFinished(() => stopped.destroy());
  stopped.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic, qos }] });
  await stopped.take('suback');
  stopped.stopReading();
  const inboxes: Inbox[] = [];
  for (const transport of transports) {
    const reader = await connectMqttJs(broker, transport, 5);
    inboxes.push(new Inbox(reader));
    await reader.subscribeAsync(topic, { qos });
  }
  const publisher = await connectMqttJs(broker, 'tcp', 5);
  for (let index = 0; index < CHUNKS; index++) {
    const payload = Buffer.alloc(CHUNK_BYTES);
    payload.writeUInt32BE(index);
    // A reader that keeps up is owed every message, so the publisher keeps its pace.
    await publisher.publishAsync(topic, payload, { qos });
    if (index % 10 === 9) await Promise.all(inboxes.map((inbox) => inbox.seen(index + 1)));
  }
  for (const inbox of inboxes) {
    const received = (await inbox.take(CHUNKS)).map(({ payload }) => payload.readUInt32BE());
    expect(received).toEqual(Array.from({ length: CHUNKS }, (_, index) => index));
  }
});

test('a reader that comes back after a stop gets what waited for it', async () => {
  const topic = 'slow/returns';
  const session = { version: 5, clientId: 'returns', clean: false } as const;
  const properties = { sessionExpiryInterval: 3600 };
  const { client: stopped } = await connectPacketClient(broker.port, { ...session, properties });
  stopped.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic, qos: 1 }] });
  await stopped.take('suback');
  stopped.stopReading();
  const publisher = await connectMqttJs(broker, 'tcp', 5);
  for (let index = 0; index < 400; index++) {
    const payload = Buffer.alloc(CHUNK_BYTES);
    payload.writeUInt32BE(index);
    await publisher.publishAsync(topic, payload, { qos: 1 });
  }
  stopped.destroy();
  const back = openPacketClient(broker.port, { ...session, properties });
  onTestFinished(() => back.destroy());
  expect((await back.take('connack')).sessionPresent).toBe(true);
  for (let index = 0; index < 400; index++) {
    const { messageId = 0, payload } = await back.take('publish');
    expect(Buffer.from(payload).readUInt32BE()).toBe(index);
    back.send({ cmd: 'puback', messageId });
  }
});
