import { generate } from 'mqtt-packet';
import { expect, test } from 'vitest';
import { FrameReader } from '../../../firmware-sim/device/frame-reader.js';
import { publishHead } from '../../../firmware-sim/device/incoming.js';
import {
  FRAGILE_VARIANTS,
  type FragileVariant,
  topicBytesOf,
} from '../../../firmware-sim/scenarios/fragile-parser.js';

const SUBACK = generate({ cmd: 'suback', messageId: 1, granted: [1] });

/** Eight messages, behind SUBACK or not, in full segments: which of them has its head split. */
function splitHeads(variant: FragileVariant, segmentBytes: number, first: Buffer): number[] {
  const packets = Array.from({ length: 8 }, (_, index) =>
    generate({
      cmd: 'publish',
      topic: 't'.repeat(topicBytesOf(variant)),
      payload: 'p'.repeat(variant.payloadBytes),
      messageId: index + 1,
      qos: 1,
      dup: false,
      retain: true,
    }),
  );
  expect(packets.map(({ length }) => length)).toEqual(packets.map(() => variant.packetBytes));
  const stream = Buffer.concat([first, ...packets]);
  const split: number[] = [];
  let number = 0;
  const reader = new FrameReader();
  for (let at = 0; at < stream.length; at += segmentBytes) {
    reader.feed(stream.subarray(at, at + segmentBytes), (frame) => {
      if (frame.bytes[0]! >> 4 !== 3) return true;
      number++;
      if (frame.firstSegmentBytes < publishHead(frame).headBytes) split.push(number);
      return true;
    });
  }
  expect(number).toBe(8);
  return split;
}

const [short, long] = FRAGILE_VARIANTS as readonly [FragileVariant, FragileVariant];

test.each([
  ['236 bytes in segments of 536: never in a head', short, 536, []],
  ['236 bytes in segments of 496: the third and others', short, 496, [3]],
  ['520 bytes in segments of 536: the second and others', long, 536, [2]],
])('%s', (_name, variant, segmentBytes, expected) => {
  for (const first of [SUBACK, Buffer.alloc(0)]) {
    const split = splitHeads(variant, segmentBytes, first);
    expect(split.slice(0, 1)).toEqual(expected);
  }
});

test('the scenario has a link of that segment size for each', () => {
  expect(FRAGILE_VARIANTS.map(({ segmentBytes }) => segmentBytes)).toEqual([496, 536]);
});
