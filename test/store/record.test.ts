import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { utf8Bytes } from '../../src/base/utf8.js';
import type { SessionRecord, StoredSubscription } from '../../src/broker/store.js';
import { Delivery } from '../../src/session/delivery.js';
import { DamagedRecord } from '../../src/store/damaged-record.js';
import {
  bodyKey,
  Family,
  identifierKey,
  packetIdentifierOf,
  queueKey,
  retainedKey,
  sequenceOf,
  sessionKey,
  sessionNumberOf,
  subscriptionKey,
} from '../../src/store/key.js';
import * as record from '../../src/store/record.js';
import { RecordWriter } from '../../src/store/record-writer.js';
import { ApplicationMessage, NEVER_EXPIRES } from '../../src/wire/application-message.js';

const bytes = fc.uint8Array({ maxLength: 300 });
const text = fc
  .string({ unit: 'grapheme', maxLength: 40 })
  .filter((value) => !value.includes('\0'));
const topic = text.filter((value) => value.length > 0);
const qos = fc.constantFrom(0 as const, 1 as const, 2 as const);
const time = fc.oneof(fc.integer({ min: 0, max: 2 ** 45 }), fc.constant(0));
const uint32 = fc.integer({ min: 0, max: 0xffff_ffff });
const number = fc.integer({ min: 1, max: 2 ** 48 - 1 });
const sequence = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });

const message = fc
  .tuple(topic, bytes, bytes, qos, fc.boolean(), fc.option(time), text)
  .map(
    ([topicName, payload, properties, ofQos, retain, expiry, publisher]) =>
      new ApplicationMessage(
        topicName,
        utf8Bytes(topicName),
        payload,
        properties,
        ofQos,
        retain,
        expiry ?? NEVER_EXPIRES,
        publisher,
      ),
  );
const orUndefined = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(arbitrary, { nil: undefined });

const session: fc.Arbitrary<SessionRecord> = fc.record({
  sessionNumber: number,
  clientIdentifier: text,
  userName: orUndefined(text),
  protocolVersion: fc.constantFrom(3 as const, 4 as const, 5 as const),
  sessionExpiryIntervalSeconds: uint32,
  connected: fc.boolean(),
  disconnectedAtWallMs: time,
  will: orUndefined(
    fc.record({
      topicName: topic,
      payload: bytes,
      qos,
      retain: fc.boolean(),
      delayIntervalSeconds: uint32,
      messageExpiryIntervalSeconds: orUndefined(uint32),
      payloadFormatIndicator: fc.constantFrom(0 as const, 1 as const),
      forwardedProperties: bytes,
    }),
  ),
  willDueWallMs: time,
});

const subscription: fc.Arbitrary<StoredSubscription> = fc.record({
  topicFilter: topic,
  options: fc.record({
    qos,
    noLocal: fc.boolean(),
    retainAsPublished: fc.boolean(),
    retainHandling: fc.constantFrom(0 as const, 1 as const, 2 as const),
  }),
  subscriptionIdentifier: orUndefined(fc.integer({ min: 1, max: 268_435_455 })),
});

const delivery = fc
  .tuple(message, qos, fc.boolean(), fc.array(fc.integer({ min: 1, max: 268_435_455 })), text)
  .map(([of, ofQos, retain, identifiers, share]) => {
    const made = new Delivery(of, ofQos, retain, identifiers);
    made.share = share === '' ? undefined : `$share/${share}`;
    return made;
  });

const writer = new RecordWriter();

describe('records come back as they were written', () => {
  it('Session', () => {
    fc.assert(
      fc.property(session, (original) => {
        const key = sessionKey(Family.Session, original.sessionNumber);
        const entry = { key, value: record.encodeSession(writer, original) };
        expect(record.decodeSession(entry, sessionNumberOf(key))).toEqual(original);
      }),
    );
  });

  it('subscription', () => {
    fc.assert(
      fc.property(number, subscription, (sessionNumber, original) => {
        const key = subscriptionKey(sessionNumber, original.topicFilter);
        const entry = { key, value: record.encodeSubscription(writer, original) };
        expect(record.decodeSubscription(entry)).toEqual(original);
        expect(sessionNumberOf(key)).toBe(sessionNumber);
      }),
    );
  });

  it('queue entry with its message, or with the number of a shared one', () => {
    fc.assert(
      fc.property(delivery, number, sequence, (original, sessionNumber, at) => {
        original.sequence = at;
        const key = queueKey(sessionNumber, at);
        const inline = {
          key,
          value: record.encodeQueueEntry(writer, original, original.message!, 0),
        };
        const own = record.decodeQueueEntry(inline);
        expect(record.deliveryOf(own, sequenceOf(key), own.queued.message!)).toEqual(original);
        const shared = {
          key,
          value: record.encodeQueueEntry(writer, original, original.message!, at),
        };
        const { queued } = record.decodeQueueEntry(shared);
        expect(queued).toEqual({
          message: undefined,
          bodyNumber: at,
          bodyBytes: original.message!.bytes,
        });
      }),
    );
  });

  it('retained message and shared body', () => {
    fc.assert(
      fc.property(message, (original) => {
        const key = retainedKey(original.topicBytes);
        const retained = { key, value: record.encodeRetained(writer, original) };
        expect(record.decodeRetained(retained)).toEqual(original);
        const body = { key: bodyKey(Family.Body, 7), value: record.encodeBody(writer, original) };
        expect(record.decodeBody(body)).toEqual(original);
      }),
    );
  });

  it('exchange, position and number', () => {
    fc.assert(
      fc.property(
        sequence,
        fc.boolean(),
        fc.integer({ min: 1, max: 65_535 }),
        (at, released, id) => {
          const key = identifierKey(Family.Exchange, 3, id);
          const exchange = { key, value: record.encodeExchange(writer, at, released) };
          expect(record.decodeExchange(exchange)).toEqual({ sequence: at, released });
          expect(packetIdentifierOf(key)).toBe(id);
          const position = { headSequence: 1, tailSequence: at, count: at - 1, bytes: at };
          const value = record.encodePosition(writer, position);
          expect(record.decodePosition({ key, value })).toEqual(position);
          expect(record.decodeNumber({ key, value: record.encodeNumber(writer, at) })).toBe(at);
        },
      ),
    );
  });
});

describe('a record that was not written so', () => {
  const key = sessionKey(Family.Session, 5);

  it('is a DamagedRecord that names the key, wherever it is cut off or grows', () => {
    fc.assert(
      fc.property(session, fc.nat(), (original, cut) => {
        // Without a will, whose payload may have any length.
        const whole = record.encodeSession(writer, { ...original, will: undefined });
        const shorter = whole.slice(0, cut % whole.length);
        const longer = new Uint8Array(whole.length + 1);
        longer.set(whole);
        for (const value of [shorter, longer]) {
          expect(() => record.decodeSession({ key, value }, 5)).toThrow(DamagedRecord);
        }
      }),
    );
    expect(() => record.decodeSession({ key, value: new Uint8Array(0) }, 5)).toThrow(
      'record S 000000000005 is damaged: it ends after 0 bytes',
    );
  });

  it('is refused when its format version is not known', () => {
    const value = record.encodeNumber(writer, 1).slice();
    value[0] = 2;
    expect(() => record.decodeNumber({ key, value })).toThrow('format version 2 is not known');
  });

  it('never makes a decoder fail in another way', () => {
    const decoders = [
      (value: Uint8Array) => record.decodeSession({ key, value }, 5),
      (value: Uint8Array) => record.decodeSubscription({ key, value }),
      (value: Uint8Array) => record.decodeQueueEntry({ key, value }),
      (value: Uint8Array) => record.decodeRetained({ key: retainedKey(utf8Bytes('a/b')), value }),
      (value: Uint8Array) => record.decodeBody({ key, value }),
      (value: Uint8Array) => record.decodeExchange({ key, value }),
      (value: Uint8Array) => record.decodePosition({ key, value }),
    ];
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (rest) => {
        const value = Uint8Array.of(1, ...rest);
        for (const decode of decoders) {
          try {
            decode(value);
          } catch (error) {
            expect(error).toBeInstanceOf(DamagedRecord);
          }
        }
      }),
      { numRuns: 1000 },
    );
  });
});

describe('keys', () => {
  it('sort as their numbers do', () => {
    fc.assert(
      fc.property(sequence, sequence, number, (a, b, sessionNumber) => {
        const order = Buffer.compare(queueKey(sessionNumber, a), queueKey(sessionNumber, b));
        expect(order).toBe(Math.sign(a - b));
      }),
    );
  });

  it('of retained messages are in tree order: a level ends before any other character', () => {
    const names = ['a', 'a/b', 'a/b/c', 'a!', 'a-b', 'a/é', 'a//', '/a', '$SYS/x'];
    const keys = names.map((name) => retainedKey(utf8Bytes(name)));
    const inOrder = [...keys].sort(Buffer.compare).map((key) => names[keys.indexOf(key)]);
    expect(inOrder).toEqual(['/a', '$SYS/x', 'a', 'a//', 'a/b', 'a/b/c', 'a/é', 'a!', 'a-b']);
  });
});
