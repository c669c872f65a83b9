import { expect, test } from 'vitest';
import type { ClientView } from '../../../src/broker/hooks.js';
import type { LocalClient } from '../../../src/extensions/local-client/local-client.js';
import { LocalClientError } from '../../../src/extensions/local-client/local-client-error.js';
import type { LocalMessage } from '../../../src/extensions/local-client/local-message.js';
import type { LocalSubscription } from '../../../src/extensions/local-client/local-subscription.js';
import type { LocalClientOptions } from '../../../src/extensions/local-client/options.js';
import type { Limits } from '../../../src/session/limits.js';
import { ReasonCode } from '../../../src/wire/reason-code.js';
import { VirtualBroker } from '../virtual-broker.js';

interface Connected {
  readonly broker: VirtualBroker;
  readonly client: LocalClient;
  settle(): Promise<void>;
}

async function connected(
  options: LocalClientOptions = {},
  limits: Partial<Limits> = {},
): Promise<Connected> {
  const broker = await VirtualBroker.start({ limits });
  return { broker, client: await broker.client(options), settle: () => broker.settle() };
}

async function take(subscription: LocalSubscription): Promise<LocalMessage> {
  const result = await subscription.next();
  if (result.done) throw new Error('the subscription is over');
  return result.value;
}

async function texts(subscription: LocalSubscription, count: number): Promise<string[]> {
  const found: string[] = [];
  while (found.length < count) found.push((await take(subscription)).text());
  return found;
}

async function failure(promise: Promise<unknown>): Promise<LocalClientError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(LocalClientError);
  return error as LocalClientError;
}

test.each([0, 1, 2] as const)('a message at QoS %i arrives with all it has', async (qos) => {
  const { broker, client } = await connected();
  const subscription = await client.subscribe('home/+/temp', { qos: 2 });
  expect(subscription.qos).toBe(2);
  const published = await client.publish('home/kitchen/temp', '21.5 °C', {
    qos,
    userProperties: [
      ['unit', 'C'],
      ['unit', 'K'],
    ],
    contentType: 'text/plain',
    responseTopic: 'home/answers',
    correlationData: Uint8Array.of(1, 0, 255),
    messageExpirySeconds: 60,
    payloadFormatIndicator: 1,
  });
  expect(published).toBe(ReasonCode.Success);
  const message = await take(subscription);
  expect(message.text()).toBe('21.5 °C');
  expect(message).toMatchObject({
    topicName: 'home/kitchen/temp',
    qos,
    retain: false,
    userProperties: [
      ['unit', 'C'],
      ['unit', 'K'],
    ],
    contentType: 'text/plain',
    responseTopic: 'home/answers',
    correlationData: Uint8Array.of(1, 0, 255),
    messageExpirySeconds: 60,
    payloadFormatIndicator: 1,
  });
  expect(broker.broker.connections).toBe(1);
});

test('bytes stay bytes, and the caller may change them when publish has returned', async () => {
  const { client } = await connected();
  const subscription = await client.subscribe('bytes', { qos: 1 });
  const payload = Uint8Array.of(0, 1, 254);
  const publishing = client.publish('bytes', payload, { qos: 1 });
  payload.fill(9);
  await publishing;
  expect((await take(subscription)).payload).toEqual(Uint8Array.of(0, 1, 254));
});

test('a QoS 1 publish without subscribers says so', async () => {
  const { client } = await connected();
  expect(await client.publish('a', '', { qos: 1 })).toBe(ReasonCode.NoMatchingSubscribers);
  expect(await client.publish('a', '', { qos: 2 })).toBe(ReasonCode.NoMatchingSubscribers);
  expect(await client.publish('a', '', { qos: 0 })).toBe(ReasonCode.Success);
});

test('overlapping subscriptions each see a message once, equal filters included', async () => {
  const { client, settle } = await connected();
  const one = await client.subscribe('a/+', { qos: 1 });
  const two = await client.subscribe('a/#', { qos: 2 });
  const same = await client.subscribe('a/+', { qos: 1 });
  await client.publish('a/b', 'first', { qos: 1 });
  await client.publish('a/b', 'second', { qos: 1 });
  for (const subscription of [one, two, same]) {
    expect(await texts(subscription, 2)).toEqual(['first', 'second']);
  }
  await one.unsubscribe();
  await client.publish('a/b', 'third', { qos: 1 });
  expect(await texts(same, 1)).toEqual(['third']);
  expect(await texts(two, 1)).toEqual(['third']);
  await same.unsubscribe();
  await settle();
  await client.publish('a/b', 'fourth', { qos: 1 });
  expect(await texts(two, 1)).toEqual(['fourth']);
  expect(await same.next()).toEqual({ done: true, value: undefined });
});

test('retained messages, No Local and Retain As Published', async () => {
  const { broker, client } = await connected();
  const neighbour = await broker.client();
  await neighbour.publish('state', 'on', { qos: 1, retain: true });
  const first = await client.subscribe('state', { noLocal: true, retainAsPublished: true });
  expect(await take(first)).toMatchObject({ retain: true, topicName: 'state' });
  await client.publish('state', 'of this client itself', { qos: 1, retain: true });
  await neighbour.publish('state', 'off', { retain: true });
  const message = await take(first);
  expect(message.text()).toBe('off');
  expect(message.retain).toBe(true);
  const other = await client.subscribe('#', { retainHandling: 2 });
  await client.publish('other', 'x');
  expect(await texts(other, 1)).toEqual(['x']);
});

test('a slow loop holds Receive Maximum messages, and nothing is lost', async () => {
  const { broker, client, settle } = await connected({ receiveMaximum: 3 });
  const publisher = await broker.client();
  const subscription = await client.subscribe('work', { qos: 1 });
  for (let i = 0; i < 10; i++) await publisher.publish('work', String(i), { qos: 1 });
  await settle();
  const session = broker.broker.sessions.get(client.clientIdentifier)!;
  const unacknowledged = (): number => broker.broker.statistics.publishSent;
  expect(unacknowledged()).toBe(3);
  expect((await take(subscription)).text()).toBe('0');
  await settle();
  // The first is in hand and not done with.
  expect(unacknowledged()).toBe(3);
  expect((await take(subscription)).text()).toBe('1');
  await settle();
  expect(unacknowledged()).toBe(4);
  expect(await texts(subscription, 8)).toEqual(['2', '3', '4', '5', '6', '7', '8', '9']);
  expect(session.connection?.isConnected).toBe(true);
});

test('QoS 0 beyond the bounds of a loop is dropped and counted', async () => {
  const { client, settle } = await connected({ qos0MessagesMax: 2, qos0BytesMax: 100 });
  const subscription = await client.subscribe('fast');
  for (const text of ['1', '2', '3', '4']) await client.publish('fast', text);
  await settle();
  expect(subscription.dropped).toBe(2);
  expect(await texts(subscription, 2)).toEqual(['1', '2']);
  await client.publish('fast', 'x'.repeat(60));
  await client.publish('fast', 'x'.repeat(60));
  await settle();
  expect(subscription.dropped).toBe(3);
  expect((await take(subscription)).payload.length).toBe(60);
});

test('publishes beyond the Receive Maximum of the broker wait and keep their order', async () => {
  const { client } = await connected({}, { receiveMaximum: 2 });
  const subscription = await client.subscribe('many', { qos: 2 });
  const numbers = Array.from({ length: 20 }, (_, i) => String(i));
  const publishing = numbers.map((text) => client.publish('many', text, { qos: 2 }));
  expect(await texts(subscription, 20)).toEqual(numbers);
  expect(await Promise.all(publishing)).toEqual(numbers.map(() => ReasonCode.Success));
});

test('a wrong request is refused alone and costs no connection', async () => {
  const { client } = await connected({}, { packetBytesMax: 2000, qosMax: 1 });
  const codeOf = async (promise: Promise<unknown>): Promise<number> => {
    const { kind, reasonCode } = await failure(promise);
    expect(kind).toBe('refused');
    return reasonCode;
  };
  expect(await codeOf(client.publish('a/#', ''))).toBe(ReasonCode.TopicNameInvalid);
  expect(await codeOf(client.publish('', ''))).toBe(ReasonCode.TopicNameInvalid);
  expect(await codeOf(client.publish('a', '', { responseTopic: '+' }))).toBe(
    ReasonCode.TopicNameInvalid,
  );
  expect(await codeOf(client.publish('a', '', { qos: 2 }))).toBe(ReasonCode.QoSNotSupported);
  for (const qos of [0, 1] as const) {
    const large = new Uint8Array(3000);
    expect(await codeOf(client.publish('a', large, { qos }))).toBe(ReasonCode.PacketTooLarge);
    const nul = client.publish('a', '', { qos, contentType: '\0' });
    await expect(nul).rejects.toThrow('U+0000');
  }
  expect(await codeOf(client.subscribe('a/#/b'))).toBe(ReasonCode.TopicFilterInvalid);
  expect(await codeOf(client.subscribe('$share/g/a', { noLocal: true }))).toBe(
    ReasonCode.ProtocolError,
  );
  const subscription = await client.subscribe('a', { qos: 2 });
  expect(subscription.qos).toBe(1);
  await client.publish('a', 'still here', { qos: 1 });
  expect(await texts(subscription, 1)).toEqual(['still here']);
});

test('hooks see the address `local`, and decide', async () => {
  const local = await VirtualBroker.start();
  const { broker } = local;
  const seen: ClientView[] = [];
  broker.hooks.authenticate.add((client, { password }) => {
    seen.push(client);
    const isRight = password !== undefined && new TextDecoder().decode(password) === 'secret';
    return isRight ? ReasonCode.Success : ReasonCode.BadUserNameOrPassword;
  });
  broker.hooks.authorizePublish.add(async (_, { topicName }) =>
    topicName === 'no' ? ReasonCode.NotAuthorized : ReasonCode.Success,
  );
  broker.hooks.authorizeSubscribe.add((_, { topicFilter }) =>
    topicFilter === 'no' ? ReasonCode.NotAuthorized : ReasonCode.Success,
  );
  const refused = await failure(local.client({ userName: 'kim', password: 'wrong' }));
  expect(refused).toMatchObject({ kind: 'refused', reasonCode: ReasonCode.BadUserNameOrPassword });
  const client = await local.client({ clientIdentifier: 'k', userName: 'kim', password: 'secret' });
  expect(seen[1]).toEqual({
    clientIdentifier: 'k',
    userName: 'kim',
    protocolVersion: 5,
    address: 'local',
    listener: 'local',
  });
  for (const qos of [1, 2] as const) {
    const error = await failure(client.publish('no', '', { qos }));
    expect(error.reasonCode).toBe(ReasonCode.NotAuthorized);
  }
  expect((await failure(client.subscribe('no'))).reasonCode).toBe(ReasonCode.NotAuthorized);
  expect(await client.publish('yes', '', { qos: 1 })).toBe(ReasonCode.NoMatchingSubscribers);
});

test('while a hook decides, what follows waits', async () => {
  const { broker, client } = await connected();
  const deciding: ((reasonCode: ReasonCode) => void)[] = [];
  broker.broker.hooks.authorizePublish.add(() => new Promise((resolve) => deciding.push(resolve)));
  let taken = 0;
  const publishing = [0, 1, 0].map(async (qos) => {
    await client.publish('t', '', { qos: qos as 0 | 1 });
    taken++;
  });
  for (let i = 1; i <= 3; i++) {
    await broker.settle();
    expect(deciding.length).toBe(i);
    deciding[i - 1]!(ReasonCode.Success);
  }
  await Promise.all(publishing);
  expect(taken).toBe(3);
});

test('a client that publishes inside a hook does not run inside the path', async () => {
  const { broker, client, settle } = await connected();
  const order: string[] = [];
  const subscription = await client.subscribe('#', { qos: 1 });
  broker.broker.hooks.published.add(({ topicName }) => {
    order.push(`begin ${topicName}`);
    if (topicName === 'first') void client.publish('second', '', { qos: 1 });
    order.push(`end ${topicName}`);
  });
  await client.publish('first', '', { qos: 1 });
  await settle();
  expect(order).toEqual(['begin first', 'end first', 'begin second', 'end second']);
  expect((await take(subscription)).topicName).toBe('first');
  expect((await take(subscription)).topicName).toBe('second');
});

test('an orderly end ends the loops; another one throws in them', async () => {
  const { broker, client } = await connected({ clientIdentifier: 'twin' });
  const subscription = await client.subscribe('a');
  const asking = failure(subscription.next());
  const twin = await broker.client({ clientIdentifier: 'twin' });
  expect(await asking).toMatchObject({ kind: 'closed', reasonCode: ReasonCode.SessionTakenOver });
  expect(await client.closed).toMatchObject({ reasonCode: ReasonCode.SessionTakenOver });
  expect((await failure(client.publish('a', ''))).reasonCode).toBe(ReasonCode.SessionTakenOver);
  const other = await twin.subscribe('a');
  const ending = other.next();
  broker.broker.shutdown();
  expect(await ending).toEqual({ done: true, value: undefined });
  expect(await twin.closed).toMatchObject({ reasonCode: ReasonCode.ServerShuttingDown });
});

test('close() takes what was published before it, and publishes no will', async () => {
  const { broker, client, settle } = await connected({
    will: { topicName: 'will', payload: 'gone' },
  });
  const watcher = await broker.client();
  const seen = await watcher.subscribe('#', { qos: 1 });
  const last = client.publish('last', 'word');
  await client.close();
  expect(await last).toBe(ReasonCode.Success);
  expect((await failure(client.publish('late', ''))).kind).toBe('closed');
  await client.close();
  await settle();
  expect((await take(seen)).topicName).toBe('last');
  expect(broker.broker.connections).toBe(1);
  const again = await broker.client({
    clientIdentifier: 'w',
    will: { topicName: 'will', payload: 'gone', qos: 1, contentType: 'text/plain' },
  });
  await broker.client({ clientIdentifier: 'w' });
  expect(await again.closed).toMatchObject({ reasonCode: ReasonCode.SessionTakenOver });
  expect(await take(seen)).toMatchObject({ topicName: 'will', contentType: 'text/plain', qos: 1 });
});

test('it keeps the connection alive where the broker asks for it', async () => {
  const { broker, client } = await connected({}, { keepAliveSecondsMax: 10 });
  await broker.advance(60_000);
  expect(await client.publish('a', '', { qos: 1 })).toBe(ReasonCode.NoMatchingSubscribers);
});
