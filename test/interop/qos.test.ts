import { afterAll, beforeAll, expect, test } from 'vitest';
import { startBroker } from '../support/broker-process.js';
import { connectMqttJs, Inbox, transports, versions } from '../support/mqtt-js.js';
import type { BrokerProcess } from '../support/supervised-process.js';

const MESSAGES = 50;
const MEBIBYTE = 1024 * 1024;

let broker: BrokerProcess;
beforeAll(async () => {
  broker = await startBroker();
});
afterAll(() => broker.stop());

const matrix = transports.flatMap((transport) =>
  versions.flatMap((version) => ([0, 1, 2] as const).map((qos) => ({ transport, version, qos }))),
);

test.each(matrix)('MQTT.js, $transport, version $version, QoS $qos both ways', async (row) => {
  const { transport, version, qos } = row;
  const topic = `qos/${transport}/${version}/${qos}`;
  const subscriber = await connectMqttJs(broker, transport, version);
  const inbox = new Inbox(subscriber);
  const granted = await subscriber.subscribeAsync(topic, { qos });
  expect(granted[0]?.qos).toBe(qos);
  const publisher = await connectMqttJs(broker, transport, version);
  const texts = Array.from({ length: MESSAGES }, (_, index) => `message ${index}`);
  await Promise.all(texts.map((text) => publisher.publishAsync(topic, text, { qos })));
  const received = await inbox.take(MESSAGES);
  expect(received.map(({ payload }) => payload.toString())).toEqual(texts);
  expect(new Set(received.map(({ packet }) => packet.qos))).toEqual(new Set([qos]));
  expect(received.every(({ packet }) => !packet.dup && !packet.retain)).toBe(true);
});

test.each(transports)('a delivery has the lower of the two QoS over %s', async (transport) => {
  const subscriber = await connectMqttJs(broker, transport, 4);
  const inbox = new Inbox(subscriber);
  for (const granted of [0, 1, 2] as const) {
    await subscriber.subscribeAsync(`lower/${transport}/${granted}/+`, { qos: granted });
  }
  const publisher = await connectMqttJs(broker, transport, 5);
  for (const granted of [0, 1, 2]) {
    for (const qos of [0, 1, 2] as const) {
      await publisher.publishAsync(`lower/${transport}/${granted}/x`, `${qos}`, { qos });
    }
  }
  const received = await inbox.take(9);
  const pairs = received.map(({ topic, payload, packet }) => ({
    granted: Number(topic.split('/')[2]),
    published: Number(payload.toString()),
    delivered: packet.qos,
  }));
  expect(new Set(pairs.map(({ granted, published }) => `${granted}${published}`)).size).toBe(9);
  for (const { granted, published, delivered } of pairs) {
    expect(delivered).toBe(Math.min(granted, published));
  }
});

const large = transports.flatMap((from) => transports.map((to) => ({ from, to })));

test.each(large)('a payload of 1 MiB from $from to $to', async ({ from, to }) => {
  const topic = `large/${from}/${to}`;
  const subscriber = await connectMqttJs(broker, to, 5);
  const inbox = new Inbox(subscriber);
  await subscriber.subscribeAsync(topic, { qos: 2 });
  const publisher = await connectMqttJs(broker, from, 4);
  const payload = Buffer.alloc(MEBIBYTE);
  for (let at = 0; at < MEBIBYTE; at += 4) payload.writeUInt32BE(at, at);
  for (const qos of [0, 1, 2] as const) await publisher.publishAsync(topic, payload, { qos });
  const received = await inbox.take(3);
  expect(received.map((message) => message.payload.equals(payload))).toEqual([true, true, true]);
});
