import { afterAll, beforeAll, expect, test } from 'vitest';
import { startBroker } from '../support/broker-process.js';
import { connectMqttJs, Inbox, transports, versions } from '../support/mqtt-js.js';
import type { BrokerProcess } from '../support/supervised-process.js';

const STATES = 3_000;
const PORTION = 500;
const SHARED_MESSAGES = 300;

let broker: BrokerProcess;
beforeAll(async () => {
  broker = await startBroker();
});
afterAll(() => broker.stop());

const matrix = transports.flatMap((transport) =>
  versions.map((version) => ({ transport, version })),
);

test.each(matrix)('retained messages, $transport, version $version', async (row) => {
  const { transport, version } = row;
  const topic = `retained/${transport}/${version}`;
  const publisher = await connectMqttJs(broker, transport, version);
  await publisher.publishAsync(topic, 'first', { retain: true, qos: 1 });
  await publisher.publishAsync(topic, 'second', { retain: true, qos: 1 });
  const subscriber = await connectMqttJs(broker, transport, version);
  const inbox = new Inbox(subscriber);
  await subscriber.subscribeAsync(topic, { qos: 1 });
  const [stored] = await inbox.take(1);
  expect(stored?.payload.toString()).toBe('second');
  expect(stored?.packet.retain).toBe(true);
  await publisher.publishAsync(topic, '', { retain: true, qos: 1 });
  const [deletion] = await inbox.take(1);
  expect(deletion?.payload.length).toBe(0);
  expect(deletion?.packet.retain).toBe(false);
  const late = await connectMqttJs(broker, transport, version);
  const lateInbox = new Inbox(late);
  await late.subscribeAsync([topic, `${topic}/fence`], { qos: 1 });
  await publisher.publishAsync(`${topic}/fence`, 'fence', { qos: 1 });
  expect(await lateInbox.takeTexts(1)).toEqual(['fence']);
});

test.each(matrix)('wildcards, $transport, version $version', async ({ transport, version }) => {
  const root = `wild/${transport}/${version}`;
  const published = ['a', 'a/b', 'a/b/c', 'a//c', 'a/b/', '$inner/b', 'x/b'];
  const expected: Record<string, string[]> = {
    'a/#': ['a', 'a/b', 'a/b/c', 'a//c', 'a/b/'],
    '+/b': ['a/b', '$inner/b', 'x/b'],
    'a/+/c': ['a/b/c', 'a//c'],
    '+/+/+': ['a/b/c', 'a//c', 'a/b/'],
    '$inner/+': ['$inner/b'],
  };
  const publisher = await connectMqttJs(broker, transport, version);
  for (const [filter, topics] of Object.entries(expected)) {
    const subscriber = await connectMqttJs(broker, transport, version);
    const inbox = new Inbox(subscriber);
    await subscriber.subscribeAsync([`${root}/${filter}`, `fence/${root}`], { qos: 1 });
    for (const topic of published) await publisher.publishAsync(`${root}/${topic}`, '', { qos: 1 });
    await publisher.publishAsync(`fence/${root}`, '', { qos: 1 });
    const received = await inbox.take(topics.length + 1);
    const names = received.map(({ topic }) => topic.replace(`${root}/`, ''));
    expect(names, filter).toEqual([...topics, `fence/${root}`]);
    await subscriber.endAsync();
  }
});

test.each(transports)('a wildcard in front sees no $ topic over %s', async (transport) => {
  const subscriber = await connectMqttJs(broker, transport, 5);
  const inbox = new Inbox(subscriber);
  await subscriber.subscribeAsync(['#', '+/dollar'], { qos: 1 });
  const publisher = await connectMqttJs(broker, transport, 5);
  await publisher.publishAsync('$hidden/dollar', 'no', { qos: 1 }).catch(() => {});
  await publisher.publishAsync('seen/dollar-end', 'yes', { qos: 1 });
  const [first] = await inbox.take(1);
  expect(first?.topic).toBe('seen/dollar-end');
});

test.each(transports)('a shared subscription divides its messages over %s', async (transport) => {
  const topic = `shared/${transport}`;
  const inboxes: Inbox[] = [];
  for (let member = 0; member < 3; member++) {
    const client = await connectMqttJs(broker, transport, 5);
    inboxes.push(new Inbox(client));
    await client.subscribeAsync(`$share/group/${topic}`, { qos: 1 });
  }
  const outsider = await connectMqttJs(broker, transport, 4);
  const everything = new Inbox(outsider);
  await outsider.subscribeAsync(topic, { qos: 1 });
  const publisher = await connectMqttJs(broker, transport, 5);
  const texts = Array.from({ length: SHARED_MESSAGES }, (_, index) => `${index}`);
  await Promise.all(texts.map((text) => publisher.publishAsync(topic, text, { qos: 1 })));
  expect(await everything.takeTexts(SHARED_MESSAGES)).toEqual(texts);
  await expect
    .poll(() => inboxes.reduce((total, { messages }) => total + messages.length, 0))
    .toBe(SHARED_MESSAGES);
  const all = inboxes.flatMap(({ messages }) => messages.map(({ payload }) => Number(payload)));
  expect(all.sort((one, other) => one - other)).toEqual(texts.map(Number));
  for (const { messages } of inboxes) expect(messages.length).toBeGreaterThan(0);
});

const starts = transports.flatMap((transport) =>
  ([4, 5] as const).map((version) => ({ transport, version })),
);

test.each(starts)(
  '3,000 filters in one SUBSCRIBE and 3,000 states back, $transport, version $version',
  async ({ transport, version }) => {
    const root = `home/${transport}/${version}`;
    const topics = Array.from({ length: STATES }, (_, index) => `${root}/sensor-${index}/state`);
    const publisher = await connectMqttJs(broker, 'tcp', 5);
    // MQTT.js does not look at Receive Maximum by itself, so the states come in portions.
    for (let from = 0; from < STATES; from += PORTION) {
      const portion = topics.slice(from, from + PORTION);
      await Promise.all(
        portion.map((topic, index) =>
          publisher.publishAsync(topic, `${from + index}`, { retain: true, qos: 1 }),
        ),
      );
    }
    const home = await connectMqttJs(broker, transport, version);
    const inbox = new Inbox(home);
    const granted = await home.subscribeAsync(topics, { qos: 0 });
    expect(granted.length).toBe(STATES);
    const received = await inbox.take(STATES);
    const states = new Map(received.map(({ topic, payload }) => [topic, payload.toString()]));
    expect(states.size).toBe(STATES);
    topics.forEach((topic, index) => {
      expect(states.get(topic)).toBe(`${index}`);
    });
  },
);
