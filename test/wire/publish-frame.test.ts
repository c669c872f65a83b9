import { generate } from 'mqtt-packet';
import { describe, expect, test } from 'vitest';
import { ApplicationMessage, NEVER_EXPIRES } from '../../src/wire/application-message.js';
import { decodePublish } from '../../src/wire/decode-publish.js';
import { Publish } from '../../src/wire/publish.js';
import { PublishFrame } from '../../src/wire/publish-frame.js';
import { decoded, type Fields } from '../broker/packets.js';
import { placed } from './bytes.js';

const NOW_MS = 1_800_000_000_000;
const VERSIONS = [3, 4, 5] as const;
type Version = (typeof VERSIONS)[number];

/** A PUBLISH as a client sends it, decoded into a frame as the broker does it. */
function frameOf(fields: Fields, version: Version, frame = new PublishFrame()): PublishFrame {
  const packet = { cmd: 'publish', qos: 0, dup: false, retain: false, ...fields };
  const whole = generate(packet as never, { protocolVersion: version });
  const publish = new Publish();
  decodePublish(publish, placed(whole), version);
  frame.fromPublish(publish, Buffer.from('a/topic'), version);
  return frame;
}

function messageOf(
  payload: Uint8Array,
  more: { properties?: Uint8Array; expiresAt?: number } = {},
) {
  const { properties = new Uint8Array(0), expiresAt = NEVER_EXPIRES } = more;
  const topic = Uint8Array.from(Buffer.from('a/topic'));
  return new ApplicationMessage('a/topic', topic, payload, properties, 2, false, expiresAt, 'p');
}

/** What a receiver would be sent, as its own codec reads it. */
function sent(frame: PublishFrame, version: Version, qos: 0 | 1 | 2): Fields {
  const template = frame.template(version, qos > 0);
  const head = Uint8Array.from(template.bytes.subarray(template.start, template.headEnd));
  head[0] = 0x30 | (qos << 1);
  if (qos > 0) {
    head[template.identifierAt - template.start] = 0x12;
    head[template.identifierAt - template.start + 1] = 0x34;
  } else expect(template.identifierAt).toBe(-1);
  const payload = frame.payload.subarray(frame.payloadStart, frame.payloadEnd);
  const packets = decoded(Buffer.concat([head, payload]), version);
  expect(packets).toHaveLength(1);
  return packets[0]!;
}

const properties = {
  payloadFormatIndicator: true,
  contentType: 'text/plain',
  responseTopic: 'answers',
  correlationData: Buffer.from([1, 2, 3]),
  userProperties: { a: ['1', '2'], b: '3' },
};

describe('every layout from every source', () => {
  const sources: [string, () => PublishFrame, Fields | undefined][] = [];
  for (const qos of [0, 1, 2] as const) {
    const id = qos > 0 ? { messageId: 9 } : {};
    const fields = { topic: 'a/topic', payload: 'hello', qos, ...id };
    sources.push([`QoS ${qos} of 3.1.1`, () => frameOf(fields, 4), undefined]);
    sources.push([`QoS ${qos} of 5.0`, () => frameOf(fields, 5), undefined]);
    const rich = { ...fields, properties };
    sources.push([`QoS ${qos} with properties`, () => frameOf(rich, 5), properties]);
    const aliased = { ...fields, properties: { ...properties, topicAlias: 3 } };
    sources.push([`QoS ${qos} with an alias`, () => frameOf(aliased, 5), properties]);
    const nameless = { ...aliased, topic: '' };
    sources.push([`QoS ${qos} with an alias alone`, () => frameOf(nameless, 5), properties]);
    const expiring = { ...properties, messageExpiryInterval: 70_000 };
    const mortal = { ...fields, properties: expiring };
    sources.push([`QoS ${qos} with expiry`, () => frameOf(mortal, 5), expiring]);
  }
  const kept = messageOf(Buffer.from('hello'));
  const fromKept = (): PublishFrame => {
    const frame = new PublishFrame();
    frame.fromMessage(kept, NOW_MS);
    return frame;
  };
  sources.push(['a kept message', fromKept, undefined]);

  test.for(sources)('%s', ([, makeFrame, wanted]) => {
    for (const version of VERSIONS) {
      for (const qos of [0, 1, 2] as const) {
        // Each alone, so that none profits from what another one made.
        const packet = sent(makeFrame(), version, qos);
        expect(packet).toMatchObject({ topic: 'a/topic', qos, dup: false, retain: false });
        expect(String(packet['payload'])).toBe('hello');
        expect(packet['messageId']).toBe(qos > 0 ? 0x1234 : undefined);
        expect(packet['properties']).toEqual(version === 5 ? wanted : undefined);
      }
    }
    const frame = makeFrame();
    for (const version of VERSIONS) {
      for (const qos of [2, 0, 1] as const) {
        expect(String(sent(frame, version, qos)['payload'])).toBe('hello');
      }
    }
  });
});

test('a PUBLISH that fits the layout as it came is not encoded again', () => {
  const fields = { topic: 'a/topic', payload: 'hello', qos: 1, messageId: 5, properties };
  const frame = frameOf(fields, 5);
  const asItCame = frame.template(5, true);
  expect(asItCame.isWhole).toBe(true);
  expect(asItCame.bytes).toBe(frame.payload);
  expect(asItCame.headEnd).toBe(frame.payloadStart);
  for (const other of [
    frame.template(5, false),
    frame.template(4, true),
    frame.template(3, false),
  ]) {
    expect(other.isWhole).toBe(false);
  }
  expect(frame.template(3, true)).toBe(frame.template(4, true));
});

test('a frame used again shows nothing of the message before', () => {
  const frame = new PublishFrame();
  const rich = { topic: 'a/topic', payload: 'x'.repeat(5000), properties };
  frameOf({ ...rich, properties: { ...properties, messageExpiryInterval: 5 } }, 5, frame);
  for (const version of VERSIONS) for (const qos of [0, 1] as const) sent(frame, version, qos);
  expect(frame.sharedPayload()).toHaveLength(5000);
  frameOf({ topic: 'a/topic', payload: 'new' }, 4, frame);
  for (const version of VERSIONS) {
    for (const qos of [0, 1] as const) {
      const packet = sent(frame, version, qos);
      expect(String(packet['payload'])).toBe('new');
      expect(packet['properties']).toBeUndefined();
    }
  }
  expect(Buffer.from(frame.sharedPayload()).toString()).toBe('new');
});

describe('expiry of a kept message', () => {
  const left = (expiresInMs: number): unknown => {
    const frame = new PublishFrame();
    frame.fromMessage(messageOf(Buffer.from('m'), { expiresAt: NOW_MS + expiresInMs }), NOW_MS);
    return (sent(frame, 5, 1)['properties'] as Fields)['messageExpiryInterval'];
  };

  test('what is left is sent, a begun second counted whole', () => {
    expect(left(60_000)).toBe(60);
    expect(left(59_001)).toBe(60);
    expect(left(1)).toBe(1);
    expect(left(0)).toBe(0);
    expect(left(-5000)).toBe(0);
    expect(left(0xffff_ffff * 1000)).toBe(0xffff_ffff);
  });

  test('stands beside the other properties', () => {
    const forwarded = Uint8Array.of(0x01, 1);
    const frame = new PublishFrame();
    const more = { properties: forwarded, expiresAt: NOW_MS + 9000 };
    frame.fromMessage(messageOf(Buffer.from('m'), more), NOW_MS);
    const expected = { messageExpiryInterval: 9, payloadFormatIndicator: true };
    expect(sent(frame, 5, 0)['properties']).toEqual(expected);
  });
});

describe('lengths', () => {
  // Where Remaining Length or Property Length grow by a byte.
  test.for([0, 1, 100, 116, 117, 118, 119, 120, 127, 128, 16_370, 16_374, 16_384, 2_097_143])(
    'a payload of %i bytes',
    (bytes) => {
      const payload = new Uint8Array(bytes).fill(7);
      const frame = new PublishFrame();
      frame.fromMessage(messageOf(payload), NOW_MS);
      for (const version of [4, 5] as const) {
        for (const qos of [0, 1] as const) {
          expect((sent(frame, version, qos)['payload'] as Buffer).length).toBe(bytes);
        }
      }
    },
  );

  test.for([122, 123, 124, 125, 126, 127, 128, 129, 16_378, 16_383, 16_384])(
    'properties of %i bytes beside an expiry',
    (bytes) => {
      // A User Property with a name of one byte.
      const value = bytes - 6;
      const head = [0x26, 0, 1, 0x6e, value >> 8, value & 0xff];
      const properties = Uint8Array.from([...head, ...new Uint8Array(value).fill(0x76)]);
      const frame = new PublishFrame();
      for (const expiresAt of [NEVER_EXPIRES, NOW_MS + 1000]) {
        frame.fromMessage(messageOf(Buffer.from('m'), { properties, expiresAt }), NOW_MS);
        const packet = sent(frame, 5, 1);
        const { userProperties } = packet['properties'] as { userProperties: { n: string } };
        expect(userProperties.n).toHaveLength(value);
        expect(String(packet['payload'])).toBe('m');
      }
    },
  );
});

describe('sharing of large payloads', () => {
  test('small ones are copied for everybody', () => {
    const frame = frameOf({ topic: 'a/topic', payload: Buffer.alloc(1024) }, 4);
    expect([frame.prefersCopy(), frame.prefersCopy()]).toEqual([true, true]);
  });

  test('of one that has just come the first receiver has a copy, the others share another', () => {
    const frame = frameOf({ topic: 'a/topic', payload: Buffer.alloc(1025, 1) }, 4);
    expect([frame.prefersCopy(), frame.prefersCopy(), frame.prefersCopy()]).toEqual([
      true,
      false,
      false,
    ]);
    const shared = frame.sharedPayload();
    expect(frame.sharedPayload()).toBe(shared);
    frame.payload.fill(0xaa);
    expect(shared.every((byte) => byte === 1)).toBe(true);
    expect(shared).toHaveLength(1025);
  });

  test('a very large one is shared from the first receiver on', () => {
    const frame = frameOf({ topic: 'a/topic', payload: Buffer.alloc(40_000) }, 4);
    expect(frame.prefersCopy()).toBe(false);
  });

  test('a kept one is shared as it is', () => {
    const payload = new Uint8Array(2000);
    const frame = new PublishFrame();
    frame.fromMessage(messageOf(payload), NOW_MS);
    expect(frame.prefersCopy()).toBe(false);
    expect(frame.sharedPayload().buffer).toBe(payload.buffer);
  });
});

test('with a Message Expiry Interval the packet is its own template, with a Topic Alias it is not', () => {
  const isAsItCame = (more: object): boolean => {
    const frame = frameOf({ topic: 'a/topic', payload: 'x', properties: more }, 5);
    return frame.template(5, false).isWhole;
  };
  expect(isAsItCame({ messageExpiryInterval: 60, contentType: 'text' })).toBe(true);
  expect(isAsItCame({ messageExpiryInterval: 60, topicAlias: 3 })).toBe(false);
});
