import { describe, expect, test } from 'vitest';
import { BufferPool } from '../../src/session/buffer-pool.js';
import { Outbox } from '../../src/session/outbox.js';
import { PublishSender } from '../../src/session/publish-sender.js';
import { publishFlags } from '../../src/session/receiver.js';
import { Statistics } from '../../src/session/statistics.js';
import { ApplicationMessage, NEVER_EXPIRES } from '../../src/wire/application-message.js';
import { PublishFrame } from '../../src/wire/publish-frame.js';
import { decoded, type Fields } from '../broker/packets.js';
import { TestTime } from '../broker/test-time.js';
import { FakeNetwork } from './fake-network.js';

const NONE: readonly number[] = [];

interface Client {
  readonly version?: 3 | 4 | 5;
  readonly packetBytesMax?: number;
  readonly topicAliasMaximum?: number;
}

function setUp({ version = 5, packetBytesMax = Infinity, topicAliasMaximum = 0 }: Client = {}) {
  const network = new FakeNetwork();
  const time = new TestTime();
  const statistics = new Statistics();
  const outbox = new Outbox(network, time, new BufferPool(), 1e9, {
    drained() {},
    sent() {},
    sentHeld() {},
  });
  const parts = { outbox, statistics, version, packetBytesMax, topicAliasMaximum };
  const sender = new PublishSender(parts);
  const bytes = (): Buffer => {
    time.run();
    return network.take();
  };
  return { sender, statistics, bytes, packets: (): Fields[] => decoded(bytes(), version) };
}

/** The interned bytes of a Topic Name: an alias belongs to this very array. */
const topics = new Map<string, Uint8Array>();

function frameOf(topic: string, payload: Uint8Array, properties = new Uint8Array(0)): PublishFrame {
  const topicBytes = topics.get(topic) ?? Uint8Array.from(Buffer.from(topic));
  topics.set(topic, topicBytes);
  const frame = new PublishFrame();
  frame.fromMessage(
    new ApplicationMessage(topic, topicBytes, payload, properties, 2, false, NEVER_EXPIRES, 'p'),
    0,
  );
  return frame;
}

const hello = Buffer.from('hello');

describe('Subscription Identifiers', () => {
  test('all of them, in Variable Byte Integers of every length', () => {
    const identifiers = [1, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152, 268_435_455];
    const { sender, packets } = setUp();
    expect(
      sender.sendPublish(frameOf('topic', hello), publishFlags(true, 2, true), 7, identifiers),
    ).toBe(true);
    expect(packets()).toMatchObject([
      {
        topic: 'topic',
        qos: 2,
        dup: true,
        retain: true,
        messageId: 7,
        payload: hello,
        properties: { subscriptionIdentifier: identifiers },
      },
    ]);
  });

  test('are not sent before 5.0', () => {
    const { sender, packets } = setUp({ version: 4 });
    sender.sendPublish(frameOf('topic', hello), publishFlags(false, 0, false), 0, [5]);
    expect(packets()).toMatchObject([{ topic: 'topic', payload: hello }]);
  });

  test('beside forwarded properties and a large payload', () => {
    const { sender, packets } = setUp();
    const payload = Buffer.alloc(70_000, 7);
    const properties = Uint8Array.of(0x01, 1, 0x03, 0, 2, 0x61, 0x62);
    sender.sendPublish(frameOf('topic', payload, properties), 0x02, 9, [3]);
    expect(packets()).toMatchObject([
      {
        payload,
        messageId: 9,
        properties: { payloadFormatIndicator: true, contentType: 'ab', subscriptionIdentifier: 3 },
      },
    ]);
  });
});

describe('Topic Aliases', () => {
  const aliasOf = (packet: Fields): unknown => (packet['properties'] as Fields)?.['topicAlias'];

  test('a name is told once and left out from then on', () => {
    const { sender, packets } = setUp({ topicAliasMaximum: 2 });
    for (const topic of ['first', 'second', 'third', 'first', 'second', 'third']) {
      sender.sendPublish(frameOf(topic, hello), 0x02, 1, NONE);
    }
    const sent = packets();
    expect(sent.map((packet) => [packet['topic'], aliasOf(packet)])).toEqual([
      ['first', 1],
      ['second', 2],
      ['third', undefined],
      ['', 1],
      ['', 2],
      ['third', undefined],
    ]);
    for (const packet of sent) expect(packet).toMatchObject({ messageId: 1, payload: hello });
  });

  test('a short name is cheaper than its alias', () => {
    const { sender, packets } = setUp({ topicAliasMaximum: 2 });
    sender.sendPublish(frameOf('abc', hello), 0, 0, NONE);
    sender.sendPublish(frameOf('abc', hello), 0, 0, NONE);
    expect(packets().map(aliasOf)).toEqual([undefined, undefined]);
  });

  test('stand beside Subscription Identifiers', () => {
    const { sender, packets } = setUp({ topicAliasMaximum: 2 });
    for (let i = 0; i < 2; i++) sender.sendPublish(frameOf('topic', hello), 0, 0, [300, 4]);
    const properties = { topicAlias: 1, subscriptionIdentifier: [300, 4] };
    expect(packets()).toMatchObject([
      { topic: 'topic', properties },
      { topic: '', properties },
    ]);
  });

  test('a message that was too large has told nothing', () => {
    const { sender, packets } = setUp({ topicAliasMaximum: 2, packetBytesMax: 60 });
    expect(sender.sendPublish(frameOf('topic', Buffer.alloc(60)), 0, 0, NONE)).toBe(false);
    expect(sender.sendPublish(frameOf('topic', Buffer.alloc(30)), 0, 0, NONE)).toBe(true);
    expect(packets()).toMatchObject([{ topic: 'topic', properties: { topicAlias: 1 } }]);
  });
});

describe('Maximum Packet Size', () => {
  test.for([
    ['plain', {}, NONE],
    ['before 5.0', { version: 4 } as const, NONE],
    ['with identifiers', {}, [1, 300]],
    ['with an alias', { topicAliasMaximum: 5 }, NONE],
  ] as const)('to the byte, %s', ([, client, identifiers]) => {
    for (const payloadBytes of [10, 100, 110, 115, 120, 127, 128, 16_370, 16_384]) {
      const frame = frameOf('topic', Buffer.alloc(payloadBytes));
      const unlimited = setUp({ ...client, topicAliasMaximum: 0 });
      unlimited.sender.sendPublish(frame, 0x02, 1, identifiers);
      const size = unlimited.bytes().length;
      const exact = setUp({ ...client, packetBytesMax: size });
      expect(exact.sender.sendPublish(frame, 0x02, 1, identifiers)).toBe(true);
      expect(exact.bytes()).toHaveLength(size);
      const tight = setUp({ ...client, packetBytesMax: size - 1 });
      expect(tight.sender.sendPublish(frame, 0x02, 1, identifiers)).toBe(false);
      expect(tight.bytes()).toHaveLength(0);
      expect(tight.statistics.publishSent).toBe(0);
    }
  });

  test.for([100, 16_360, 2_097_000])('an alias never makes it too large, around %i', (around) => {
    // A User Property, so that the Property Length too can grow by a byte.
    for (const valueBytes of [112, 118, 119, 120]) {
      const value = new Uint8Array(valueBytes).fill(0x76);
      const properties = Uint8Array.of(0x26, 0, 1, 0x6e, 0, valueBytes, ...value);
      const isLarge = around > 1_000_000;
      for (let more = 0; more < 160; more += isLarge ? 40 : 1) {
        const frame = frameOf('topic', new Uint8Array(around + more), properties);
        const plain = setUp();
        plain.sender.sendPublish(frame, 0x02, 1, NONE);
        const size = plain.bytes().length;
        for (let spare = isLarge ? 3 : 0; spare < (isLarge ? 5 : 10); spare++) {
          const limited = setUp({ packetBytesMax: size + spare, topicAliasMaximum: 3 });
          expect(limited.sender.sendPublish(frame, 0x02, 1, NONE)).toBe(true);
          expect(limited.bytes().length).toBeLessThanOrEqual(size + spare);
        }
      }
    }
  });
});

test('PUBREL, and why, where the identifier is unknown', () => {
  const five = setUp();
  five.sender.sendPubrel(0x1234, false);
  five.sender.sendPubrel(2, true);
  expect(five.packets()).toMatchObject([
    { cmd: 'pubrel', messageId: 0x1234, reasonCode: 0 },
    { cmd: 'pubrel', messageId: 2, reasonCode: 0x92 },
  ]);
  const four = setUp({ version: 4 });
  four.sender.sendPubrel(2, true);
  expect([...four.bytes()]).toEqual([0x62, 2, 0, 2]);
});
