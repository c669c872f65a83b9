import { afterAll, beforeAll, expect, test } from 'vitest';
import { startBroker } from '../support/broker-process.js';
import { connectMqttJs, Inbox, transports } from '../support/mqtt-js.js';
import { connectPacketClient } from '../support/packet-client.js';
import type { BrokerProcess } from '../support/supervised-process.js';

let broker: BrokerProcess;
beforeAll(async () => {
  broker = await startBroker();
});
afterAll(() => broker.stop());

test.each(transports)('request and response with all properties over %s', async (transport) => {
  const responder = await connectMqttJs(broker, transport, 5);
  await responder.subscribeAsync(`request/${transport}`, { qos: 1 });
  responder.on('message', (_topic, payload, packet) => {
    const { responseTopic = '', correlationData } = packet.properties ?? {};
    const properties = correlationData === undefined ? {} : { correlationData };
    responder.publish(responseTopic, `answer to ${payload}`, { qos: 1, properties });
  });
  const requester = await connectMqttJs(broker, transport, 5);
  const inbox = new Inbox(requester);
  await requester.subscribeAsync(`response/${transport}`, { qos: 1 });
  const correlationData = Buffer.from([0, 255, 1, 254]);
  await requester.publishAsync(`request/${transport}`, 'question', {
    qos: 1,
    properties: { responseTopic: `response/${transport}`, correlationData },
  });
  const [answer] = await inbox.take(1);
  expect(answer?.payload.toString()).toBe('answer to question');
  expect(answer?.packet.properties?.correlationData).toEqual(correlationData);
});

test.each(transports)('properties pass unaltered over %s', async (transport) => {
  const topic = `properties/${transport}`;
  const subscriber = await connectMqttJs(broker, transport, 5);
  const inbox = new Inbox(subscriber);
  await subscriber.subscribeAsync(topic, { qos: 2, properties: { subscriptionIdentifier: 77 } });
  const publisher = await connectMqttJs(broker, transport, 5);
  const properties = {
    payloadFormatIndicator: true,
    contentType: 'application/json',
    responseTopic: 'some/where',
    correlationData: Buffer.from('correlation'),
    userProperties: { one: ['1', '2'], two: '3', traceparent: '00-ab-cd-01' },
  };
  await publisher.publishAsync(topic, '{}', { qos: 2, properties });
  const [message] = await inbox.take(1);
  const received = { ...message?.packet.properties };
  expect(received.subscriptionIdentifier).toBe(77);
  delete received.subscriptionIdentifier;
  expect(JSON.parse(JSON.stringify(received))).toEqual(JSON.parse(JSON.stringify(properties)));
});

test.each(transports)('Topic Aliases in both directions over %s', async (transport) => {
  const topic = `alias/${transport}/with/a/long/topic/name`;
  const subscriber = await connectMqttJs(broker, transport, 5, {
    properties: { topicAliasMaximum: 4 },
  });
  const inbox = new Inbox(subscriber);
  await subscriber.subscribeAsync(`alias/${transport}/#`, { qos: 1 });
  const publisher = await connectMqttJs(broker, transport, 5, { autoUseTopicAlias: true });
  for (let index = 0; index < 10; index++) {
    await publisher.publishAsync(topic, `${index}`, { qos: index % 2 === 0 ? 0 : 1 });
  }
  const received = await inbox.take(10);
  expect(received.map((message) => message.topic)).toEqual(received.map(() => topic));
  expect(received.map(({ payload }) => Number(payload))).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

test('User Properties keep their order, repeated names between others too', async () => {
  const { client: subscriber } = await connectPacketClient(broker.port, { version: 5 });
  subscriber.send({
    cmd: 'subscribe',
    messageId: 1,
    subscriptions: [{ topic: 'user/properties', qos: 0 }],
  });
  await subscriber.take('suback');
  const pairs = [
    ['b', '1'],
    ['a', '2'],
    ['b', '3'],
    ['', ''],
    ['a', '2'],
  ] as const;
  const properties = Buffer.concat(pairs.map(([name, value]) => userProperty(name, value)));
  const { client: publisher } = await connectPacketClient(broker.port, { version: 5 });
  publisher.sendBytes(publishWith('user/properties', properties));
  await subscriber.take('publish');
  expect(Buffer.concat(subscriber.bytes).includes(properties)).toBe(true);
  publisher.destroy();
  subscriber.destroy();
});

test.each([0, 1, 2] as const)(
  'a message above Maximum Packet Size is dropped, QoS %s',
  async (qos) => {
    const topic = `too/large/${qos}`;
    const small = await connectMqttJs(broker, 'tcp', 5, {
      properties: { maximumPacketSize: 1000 },
    });
    const inbox = new Inbox(small);
    let closed = false;
    small.on('close', () => {
      closed = true;
    });
    await small.subscribeAsync(topic, { qos });
    const other = await connectMqttJs(broker, 'tcp', 5);
    const others = new Inbox(other);
    await other.subscribeAsync(topic, { qos });
    const publisher = await connectMqttJs(broker, 'tcp', 4);
    for (const bytes of [10, 2000, 20, 100_000, 30]) {
      await publisher.publishAsync(topic, Buffer.alloc(bytes), { qos });
    }
    const sizes = (await inbox.take(3)).map(({ payload }) => payload.length);
    expect(sizes).toEqual([10, 20, 30]);
    const allSizes = (await others.take(5)).map(({ payload }) => payload.length);
    expect(allSizes).toEqual([10, 2000, 20, 100_000, 30]);
    expect(closed).toBe(false);
  },
);

test('No Local, Retain As Published and Retain Handling', async () => {
  const client = await connectMqttJs(broker, 'tcp', 5);
  const inbox = new Inbox(client);
  await client.publishAsync('options/kept', 'old', { qos: 1, retain: true });
  await client.subscribeAsync('options/kept', { qos: 1, rh: 2, rap: true });
  await client.publishAsync('options/kept', 'new', { qos: 1, retain: true });
  const [live] = await inbox.take(1);
  expect(live?.payload.toString()).toBe('new');
  expect(live?.packet.retain).toBe(true);
  await client.subscribeAsync('options/own', { qos: 1, nl: true });
  await client.publishAsync('options/own', 'from myself', { qos: 1 });
  const other = await connectMqttJs(broker, 'tcp', 5);
  await other.publishAsync('options/own', 'from another', { qos: 1 });
  expect(await inbox.takeTexts(1)).toEqual(['from another']);
});

test('an empty Client Identifier is assigned one that works', async () => {
  const { client, connack } = await connectPacketClient(broker.port, { version: 5 });
  const assigned = connack.properties?.assignedClientIdentifier ?? '';
  expect(assigned.length).toBeGreaterThan(0);
  const again = await connectPacketClient(broker.port, { version: 5, clientId: assigned });
  expect(again.connack.reasonCode).toBe(0);
  expect((await client.take('disconnect')).reasonCode).toBe(0x8e);
  again.client.destroy();
});

function userProperty(name: string, value: string): Buffer {
  return Buffer.concat([Buffer.of(0x26), encodedString(name), encodedString(value)]);
}

/** PUBLISH at QoS 0 with these properties and no payload: all lengths here fit one byte. */
function publishWith(topic: string, properties: Buffer): Buffer {
  const body = [encodedString(topic), Buffer.of(properties.length), properties];
  const length = body.reduce((total, part) => total + part.length, 0);
  return Buffer.concat([Buffer.of(0x30, length), ...body]);
}

function encodedString(text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([Buffer.of(bytes.length >> 8, bytes.length & 255), bytes]);
}
