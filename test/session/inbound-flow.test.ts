import { describe, expect, test } from 'vitest';
import { ReasonCode } from '../../src/wire/reason-code.js';
import { BrokerWorld } from '../broker/broker-world.js';

const FOREVER = { properties: { sessionExpiryInterval: 1000 } };
const KEPT = { clean: false, ...FOREVER };

describe('QoS 2', () => {
  test.for([4, 5] as const)(
    'one identifier is one message, whatever DUP says (%i)',
    async (version) => {
      const world = await BrokerWorld.start();
      const watcher = world.connect('watcher');
      watcher.subscribe('t');
      const a = world.connect('a', {}, version);
      const publish = (payload: string, dup: boolean): void =>
        a.publish('t', payload, { qos: 2, messageId: 9, dup });
      publish('first', false);
      publish('again', true);
      publish('and again', false);
      expect(watcher.payloads()).toEqual(['first']);
      expect(a.brief()).toEqual(['pubrec 9', 'pubrec 9', 'pubrec 9']);
      a.send({ cmd: 'pubrel', messageId: 9 });
      publish('second', true);
      expect(watcher.payloads()).toEqual(['second']);
      expect(a.brief()).toEqual(['pubcomp 9', 'pubrec 9']);
    },
  );

  test('is remembered from connection to connection and from process to process', async () => {
    const world = await BrokerWorld.start();
    world.connect('watcher', FOREVER).subscribe('t', { qos: 2 });
    const a = world.connect('a', FOREVER);
    a.publish('t', 'once', { qos: 2, messageId: 9 });
    a.drop();
    const again = world.connect('a', KEPT);
    again.publish('t', 'twice', { qos: 2, messageId: 9, dup: true });
    expect(again.brief()).toEqual(['pubrec 9']);
    await world.crash();
    const later = world.connect('a', KEPT);
    later.publish('t', 'thrice', { qos: 2, messageId: 9, dup: true });
    later.send({ cmd: 'pubrel', messageId: 9 });
    later.send({ cmd: 'pubrel', messageId: 9 });
    expect(later.brief()).toEqual(['pubrec 9', 'pubcomp 9', 'pubcomp 9 0x92']);
    expect(world.connect('watcher', KEPT).payloads()).toEqual(['once']);
  });

  test('a copy that comes before the PUBREC is answered by that PUBREC', async () => {
    const world = await BrokerWorld.start({ holdsCommits: true });
    const a = world.connect('a', FOREVER);
    world.commitAll();
    a.publish('t', '', { qos: 2, messageId: 9 });
    a.publish('t', '', { qos: 2, messageId: 9, dup: true });
    expect(a.brief()).toEqual([]);
    world.commitAll();
    expect(a.brief()).toEqual(['pubrec 9 0x10']);
  });

  test('what was refused is not remembered', async () => {
    const world = await BrokerWorld.start();
    let isAllowed = false;
    world.broker.hooks.authorizePublish.add(() =>
      isAllowed ? ReasonCode.Success : ReasonCode.NotAuthorized,
    );
    const a = world.connect('a', FOREVER);
    a.publish('t', '', { qos: 2, messageId: 9 });
    isAllowed = true;
    a.publish('t', '', { qos: 2, messageId: 9 });
    expect(a.brief()).toEqual(['pubrec 9 0x87', 'pubrec 9 0x10']);
    expect(world.broker.sessions.get('a')!.receivedCount).toBe(1);
  });

  test('PUBCOMP waits until the identifier is free on disk', async () => {
    const world = await BrokerWorld.start({ holdsCommits: true });
    const a = world.connect('a', FOREVER);
    a.publish('t', '', { qos: 2, messageId: 9 });
    world.commitAll();
    a.packets();
    a.send({ cmd: 'pubrel', messageId: 9 });
    expect(a.brief()).toEqual([]);
    world.commit();
    expect(a.brief()).toEqual(['pubcomp 9']);
  });
});

describe('copies without a reconnect', () => {
  test('of QoS 1 are one message while its PUBACK is on its way, and the log tells once', async () => {
    const world = await BrokerWorld.start({ holdsCommits: true });
    const a = world.connect('a', FOREVER);
    a.send(a.subscribePacket('t', { qos: 1 }));
    world.commitAll();
    a.packets();
    for (const dup of [false, true, true]) a.publish('t', 'm', { qos: 1, messageId: 9, dup });
    world.commitAll();
    expect(a.brief()).toEqual(['publish 1 m', 'puback 9']);
    expect(world.log.filter(({ event }) => event === 'retransmission')).toHaveLength(1);
    // Behind the PUBACK the identifier is free: a new message, whatever DUP says.
    a.publish('t', 'other', { qos: 1, messageId: 9, dup: true });
    world.commitAll();
    expect(a.brief()).toEqual(['publish 2 other', 'puback 9']);
  });
});

describe('Receive Maximum', () => {
  const limits = { receiveMaximum: 2 };

  test('one QoS 2 message too many ends the connection of a 5.0 client', async () => {
    const world = await BrokerWorld.start({ limits });
    const a = world.connect('a');
    for (const messageId of [1, 2]) a.publish('t', '', { qos: 2, messageId });
    a.publish('t', '', { qos: 2, messageId: 2, dup: true });
    expect(a.isClosed).toBe(false);
    a.send({ cmd: 'pubrel', messageId: 1 });
    a.publish('t', '', { qos: 2, messageId: 3 });
    a.packets();
    a.publish('t', '', { qos: 2, messageId: 4 });
    expect(a.brief()).toEqual(['disconnect 0x93']);
    expect(a.isClosed).toBe(true);
  });

  test('is not held against earlier versions, nor where the listener is lenient', async () => {
    const lenient = await BrokerWorld.start({ limits, policy: { lenientReceiveMaximum: true } });
    const strict = await BrokerWorld.start({ limits });
    for (const client of [lenient.connect('a'), strict.connect('a', {}, 4)]) {
      for (const messageId of [1, 2, 3, 4]) client.publish('t', '', { qos: 2, messageId });
      expect(client.packets()).toHaveLength(4);
      expect(client.isClosed).toBe(false);
    }
  });

  test('of QoS 1 holds the reading until acknowledgements have left', async () => {
    const world = await BrokerWorld.start({ limits, holdsCommits: true });
    const a = world.connect('a', FOREVER);
    a.send(a.subscribePacket('t', { qos: 0 }));
    world.commitAll();
    a.packets();
    world.broker.hooks.published.add(() => {});
    const retained = (payload: string) => a.publishPacket('t', payload, { qos: 1, retain: true });
    a.send(retained('1'), retained('2'), retained('3'), retained('4'), { cmd: 'pingreq' });
    expect(a.isPaused).toBe(true);
    expect(a.payloads()).toEqual(['1', '2']);
    world.commitAll();
    expect(a.isPaused).toBe(false);
    const rest = a.brief();
    expect(rest.filter((line) => line.startsWith('publish'))).toEqual(['publish 3', 'publish 4']);
    expect(rest.filter((line) => line.startsWith('puback'))).toHaveLength(4);
    expect(rest).toContain('pingresp');
  });
});

describe('Topic Aliases', () => {
  test('name, rename and stand for topics of this connection alone', async () => {
    const world = await BrokerWorld.start();
    const watcher = world.connect('watcher');
    watcher.subscribe('#');
    const a = world.connect('a');
    const publish = (topic: string, topicAlias: number): void =>
      a.publish(topic, '', { properties: { topicAlias } });
    publish('first', 1);
    publish('second', 64);
    publish('', 1);
    publish('', 64);
    publish('third', 1);
    publish('', 1);
    const topics = watcher.publishes().map(({ topic }) => topic);
    expect(topics).toEqual(['first', 'second', 'first', 'second', 'third', 'third']);
    const other = world.connect('other');
    other.publish('', '', { properties: { topicAlias: 1 } });
    expect(other.brief()).toEqual(['disconnect 0x94']);
    publish('too high', 65);
    expect(a.brief()).toEqual(['disconnect 0x94']);
    expect(watcher.publishes()).toEqual([]);
  });
});

describe('Payload Format Indicator', () => {
  const properties = { payloadFormatIndicator: true };
  const broken = Uint8Array.of(0xc3, 0x28);

  test('is believed unless the limits say otherwise', async () => {
    const world = await BrokerWorld.start();
    const a = world.connect('a');
    a.publish('t', broken, { qos: 1, properties });
    expect(a.brief()).toEqual(['puback 256 0x10']);
  });

  test('that lies is refused where there is an answer, and ends the connection where not', async () => {
    const world = await BrokerWorld.start({ limits: { checkPayloadFormat: true } });
    const watcher = world.connect('watcher');
    watcher.subscribe('#');
    const a = world.connect('a');
    a.publish('t', 'ä', { qos: 1, properties });
    a.publish('t', broken, { qos: 1 });
    a.publish('t', broken, { qos: 1, properties });
    a.publish('t', broken, { qos: 2, properties });
    expect(a.brief()).toEqual(['puback 256', 'puback 257', 'puback 258 0x99', 'pubrec 259 0x99']);
    expect(watcher.publishes()).toHaveLength(2);
    a.publish('t', broken, { properties });
    expect(a.brief()).toEqual(['disconnect 0x99']);
    expect(watcher.publishes()).toEqual([]);
  });
});

describe('a decision that takes its time', () => {
  test('holds what is behind it in the same chunk, and nobody else', async () => {
    const world = await BrokerWorld.start();
    const answers: ((code: ReasonCode) => void)[] = [];
    world.broker.hooks.authorizePublish.add(({ clientIdentifier }) =>
      clientIdentifier === 'a'
        ? new Promise((resolve) => answers.push(resolve))
        : ReasonCode.Success,
    );
    const watcher = world.connect('watcher');
    watcher.subscribe('#');
    const a = world.connect('a');
    a.send(
      a.publishPacket('t', 'one', { qos: 1 }),
      a.publishPacket('t', 'two', { qos: 2 }),
      { cmd: 'pingreq' },
      a.publishPacket('t', 'three', {}),
    );
    // More comes while it waits, cut in the middle of a packet.
    a.send(a.publishPacket('t', 'four', { qos: 1 }));
    watcher.publish('x', 'meanwhile');
    await world.settle();
    expect(watcher.payloads()).toEqual(['meanwhile']);
    expect(a.isPaused).toBe(true);
    const decide = async (code: ReasonCode): Promise<void> => {
      answers.shift()!(code);
      await world.settle();
    };
    await decide(ReasonCode.Success);
    expect(a.brief()).toEqual(['puback 256']);
    await decide(ReasonCode.NotAuthorized);
    expect(a.brief()).toEqual(['pubrec 257 0x87', 'pingresp']);
    expect(watcher.payloads()).toEqual(['one']);
    await decide(ReasonCode.Success);
    await decide(ReasonCode.Success);
    expect(a.brief()).toEqual(['puback 258']);
    expect(watcher.payloads()).toEqual(['three', 'four']);
    expect(a.isPaused).toBe(false);
  });

  test('for a client that has gone meanwhile is not carried out', async () => {
    const world = await BrokerWorld.start();
    let decide: (code: ReasonCode) => void = () => {};
    world.broker.hooks.authorizePublish.add(
      () =>
        new Promise((resolve) => {
          decide = resolve;
        }),
    );
    const watcher = world.connect('watcher');
    watcher.subscribe('#');
    const a = world.connect('a');
    a.publish('t', 'late');
    a.drop();
    decide(ReasonCode.Success);
    await world.settle();
    expect(watcher.payloads()).toEqual([]);
  });

  test('SUBSCRIBE waits for all of its filters', async () => {
    const world = await BrokerWorld.start();
    world.broker.hooks.authorizeSubscribe.add((_, { topicFilter }) =>
      topicFilter === 'slow' ? Promise.resolve(ReasonCode.NotAuthorized) : ReasonCode.Success,
    );
    const a = world.connect('a');
    const subscriptions = ['x', 'slow', 'y'].map((topic) => ({ topic, qos: 1 }));
    a.send({ cmd: 'subscribe', messageId: 5, subscriptions }, { cmd: 'pingreq' });
    expect(a.brief()).toEqual([]);
    await world.settle();
    expect(a.take('suback')['granted']).toEqual([1, ReasonCode.NotAuthorized, 1]);
    expect(a.brief()).toEqual(['pingresp']);
  });

  test('a rejection ends the connection with a DISCONNECT, before CONNACK with a refusal', async () => {
    const world = await BrokerWorld.start();
    world.broker.hooks.authorizeSubscribe.add(() => Promise.reject(new Error('no database')));
    world.broker.hooks.authenticate.add(({ clientIdentifier }) =>
      clientIdentifier === 'b' ? Promise.reject(new Error('no database')) : ReasonCode.Success,
    );
    const a = world.connect('a');
    a.send(a.subscribePacket('t'));
    const b = world.connecting('b');
    await world.settle();
    expect(a.brief()).toEqual(['disconnect 0x80']);
    expect(b.brief()).toEqual(['connack 0x80']);
    expect([a.isClosed, b.isClosed]).toEqual([true, true]);
  });
});

test('the limits of QoS and RETAIN end the connection', async () => {
  const world = await BrokerWorld.start({ limits: { qosMax: 1, retainAvailable: false } });
  const a = world.connect('a');
  a.publish('t', '', { qos: 2 });
  expect(a.brief()).toEqual(['disconnect 0x9b']);
  const b = world.connect('b');
  b.publish('t', '', { retain: true });
  expect(b.brief()).toEqual(['disconnect 0x9a']);
});
