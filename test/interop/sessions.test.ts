import type { MqttClient } from 'mqtt';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startBroker } from '../support/broker-process.js';
import {
  connectMqttJs,
  Inbox,
  reconnectingMqttJs,
  transports,
  type Version,
  versions,
} from '../support/mqtt-js.js';
import type { BrokerProcess } from '../support/supervised-process.js';

let broker: BrokerProcess;
beforeAll(async () => {
  broker = await startBroker();
});
afterAll(() => broker.stop());

/** CONNECT options of a Session that outlives its connection, in the words of each version. */
function lasting(version: Version, clientId: string) {
  const properties = { sessionExpiryInterval: 3600 };
  return { clientId, clean: false, ...(version === 5 && { properties }) };
}

const matrix = transports.flatMap((transport) =>
  versions.map((version) => ({ transport, version })),
);

test.each(matrix)('a session waits for its client, $transport, version $version', async (row) => {
  const { transport, version } = row;
  const topic = `session/${transport}/${version}`;
  const options = lasting(version, `waits-${transport}-${version}`);
  const first = await connectMqttJs(broker, transport, version, options);
  await first.subscribeAsync(topic, { qos: 2 });
  await first.endAsync();
  const publisher = await connectMqttJs(broker, transport, version);
  await publisher.publishAsync(topic, 'first', { qos: 1 });
  await publisher.publishAsync(topic, 'second', { qos: 2 });
  await publisher.publishAsync(topic, 'third', { qos: 1 });
  await publisher.publishAsync(topic, 'fourth', { qos: 2 });
  const { inbox, sessionPresent } = await resumed(version, options);
  if (version !== 3) expect(sessionPresent).toBe(true);
  const received = await inbox.take(4);
  // Order holds within one QoS: MQTT.js shows a QoS 2 message only when it is released.
  const texts = received.map(({ payload, packet }) => `${payload} ${packet.qos}`);
  expect(texts.filter((text) => text.endsWith('1'))).toEqual(['first 1', 'third 1']);
  expect(texts.filter((text) => text.endsWith('2'))).toEqual(['second 2', 'fourth 2']);
});

test.each(versions)('a clean start forgets the session, version %s', async (version) => {
  const options = lasting(version, `forgets-${version}`);
  const first = await connectMqttJs(broker, 'tcp', version, options);
  await first.subscribeAsync(`forgets/${version}`, { qos: 1 });
  await first.endAsync();
  const clean = await connectMqttJs(broker, 'tcp', version, {
    clientId: options.clientId,
    clean: true,
  });
  await clean.endAsync();
  const { client, inbox, sessionPresent } = await resumed(version, options);
  expect(sessionPresent).toBe(false);
  await client.subscribeAsync(`forgets/${version}/fence`, { qos: 1 });
  await client.publishAsync(`forgets/${version}`, 'nobody', { qos: 1 });
  await client.publishAsync(`forgets/${version}/fence`, 'fence', { qos: 1 });
  expect(await inbox.takeTexts(1)).toEqual(['fence']);
});

const ends = (['kill', 'terminate'] as const).flatMap((end) =>
  versions.map((version) => ({ end, version })),
);

test.each(ends)(
  'clients outlive a broker restart by $end, version $version',
  async ({ end, version }) => {
    const topic = `restart/${end}/${version}`;
    const subscriberId = `restart-${end}-${version}`;
    const subscriber = reconnectingMqttJs(broker, version, lasting(version, subscriberId));
    const inbox = new Inbox(subscriber);
    await connected(subscriber);
    await subscriber.subscribeAsync(topic, { qos: 2 });
    const publisherId = `restart-publisher-${end}-${version}`;
    const publisher = reconnectingMqttJs(broker, version, lasting(version, publisherId));
    await connected(publisher);
    await publisher.publishAsync(topic, 'before', { qos: 2 });
    await publisher.publishAsync(`${topic}/kept`, 'retained', { qos: 1, retain: true });
    await inbox.take(1);
    const gone = [closed(subscriber), closed(publisher)];
    await (end === 'kill' ? broker.kill() : broker.terminate());
    await Promise.all(gone);
    const waiting = [1, 2].map((qos) =>
      publisher.publishAsync(topic, `while away ${qos}`, { qos: qos as 1 | 2 }),
    );
    const back = connected(subscriber);
    await broker.restart();
    const sessionPresent = await back;
    if (version !== 3) expect(sessionPresent).toBe(true);
    await Promise.all(waiting);
    expect((await inbox.takeTexts(2)).sort()).toEqual(['while away 1', 'while away 2']);
    await publisher.publishAsync(topic, 'after', { qos: 2 });
    expect(await inbox.takeTexts(1)).toEqual(['after']);
    await subscriber.subscribeAsync(`${topic}/kept`, { qos: 1 });
    expect(await inbox.takeTexts(1)).toEqual(['retained']);
  },
);

test('a session that was away during the restart gets what came before it', async () => {
  const options = lasting(5, 'away-during-restart');
  const client = await connectMqttJs(broker, 'tcp', 5, options);
  await client.subscribeAsync('away/#', { qos: 2 });
  await client.endAsync();
  const publisher = await connectMqttJs(broker, 'tcp', 5);
  for (const qos of [1, 2] as const) await publisher.publishAsync('away/x', `${qos}`, { qos });
  await broker.kill();
  await broker.restart();
  const { inbox, sessionPresent } = await resumed(5, options);
  expect(sessionPresent).toBe(true);
  expect((await inbox.takeTexts(2)).sort()).toEqual(['1', '2']);
});

/** Connects so that nothing is missed that the broker sends straight after CONNACK. */
async function resumed(version: Version, options: { clientId: string }) {
  const client = reconnectingMqttJs(broker, version, { ...options, reconnectPeriod: 0 });
  const inbox = new Inbox(client);
  return { client, inbox, sessionPresent: await connected(client) };
}

/** Whether the broker said that it has the Session; 3.1 has no way to say so. */
function connected(client: MqttClient): Promise<boolean> {
  return new Promise((resolve) => {
    client.once('connect', (connack) => resolve(connack.sessionPresent));
  });
}

function closed(client: MqttClient): Promise<void> {
  return new Promise((resolve) => {
    client.once('close', resolve);
  });
}
