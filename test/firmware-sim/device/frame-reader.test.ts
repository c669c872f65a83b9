import fc from 'fast-check';
import { generate, type Packet } from 'mqtt-packet';
import { expect, test } from 'vitest';
import {
  type Frame,
  FrameReader,
  MalformedLength,
} from '../../../firmware-sim/device/frame-reader.js';

const packets: Packet[] = [
  { cmd: 'pingresp' },
  {
    cmd: 'publish',
    topic: 'a/b',
    payload: 'x'.repeat(300),
    qos: 1,
    messageId: 7,
    dup: false,
    retain: false,
  },
  { cmd: 'puback', messageId: 9 },
  { cmd: 'publish', topic: 'c', payload: '', qos: 0, dup: false, retain: false },
];
const encoded = packets.map((packet) => generate(packet));

function read(reader: FrameReader, segments: readonly Buffer[]): Frame[] {
  const frames: Frame[] = [];
  for (const segment of segments) {
    reader.feed(segment, (frame) => {
      frames.push(frame);
      return true;
    });
  }
  return frames;
}

test('packets come out whole, however they were split', () => {
  const stream = Buffer.concat(encoded);
  const cuts = fc.array(fc.integer({ min: 1, max: stream.length - 1 }), { maxLength: 8 });
  fc.assert(
    fc.property(cuts, (positions) => {
      const ends = [...positions.sort((one, other) => one - other), stream.length];
      const segments = ends.map((end, i) => stream.subarray(ends[i - 1] ?? 0, end));
      const frames = read(new FrameReader(), segments);
      expect(frames.map(({ bytes }) => bytes)).toEqual(encoded);
    }),
  );
});

test('it tells how much of a packet came in the segment it began in', () => {
  const [, publish] = encoded;
  const segments = [
    Buffer.concat([encoded[0]!, publish!.subarray(0, 4)]),
    Buffer.concat([publish!.subarray(4), encoded[2]!]),
  ];
  const frames = read(new FrameReader(), segments);
  expect(frames.map(({ firstSegmentBytes }) => firstSegmentBytes)).toEqual([2, 4, 4]);
});

test('of a packet beyond the buffer it keeps the beginning alone', () => {
  const reader = new FrameReader(128);
  const [frame, next] = read(reader, [encoded[1]!, encoded[2]!]);
  expect(frame).toMatchObject({ totalBytes: encoded[1]!.length, whole: false });
  expect(frame!.bytes).toEqual(encoded[1]!.subarray(0, 128));
  expect(next!.bytes).toEqual(encoded[2]);
});

test('a length of five bytes is no length', () => {
  const reader = new FrameReader();
  expect(() => read(reader, [Buffer.from([0x30, 0xff, 0xff, 0xff, 0xff, 0x01])])).toThrow(
    MalformedLength,
  );
});

test('it knows when a packet has begun and not ended', () => {
  const reader = new FrameReader();
  read(reader, [encoded[1]!.subarray(0, 10)]);
  expect([reader.inPacket, reader.typeInPacket]).toEqual([true, 3]);
  read(reader, [encoded[1]!.subarray(10)]);
  expect(reader.inPacket).toBe(false);
});
