import { expect, test } from 'vitest';
import type { Random } from '../../firmware-sim/base/random.js';
import { PacketPath } from '../../firmware-sim/packet-link/packet-path.js';

const packet = (bytes = 100) => new Uint8Array(bytes);
/** These numbers, and then the last of them for ever. */
function draws(...numbers: number[]): Random {
  return { next: () => (numbers.length > 1 ? numbers.shift()! : numbers[0]!) };
}
const always = draws(0);
const never = draws(0.999);

test('rate and latency add up, and packets wait for each other', () => {
  const path = new PacketPath({ bytesPerSecond: 1000, latencyMs: 50 }, never);
  expect(path.carry(packet(), 0)).toEqual([150]);
  expect(path.carry(packet(), 0)).toEqual([250]);
  expect(path.carry(packet(), 1000)).toEqual([1150]);
});

test('a full queue drops what comes, and counts it', () => {
  const path = new PacketPath({ bytesPerSecond: 1000, queuedPacketsMax: 2 }, never);
  const outs = Array.from({ length: 5 }, () => path.carry(packet(), 0).length);
  expect(outs).toEqual([1, 1, 1, 0, 0]);
  expect(path.counts).toMatchObject({ packets: 5, bytes: 500, overflowed: 2, lost: 0 });
});

test('jitter reorders only where reordering is asked for', () => {
  const jittery = new PacketPath({ jitterMs: 100 }, draws(0.9, 0.1));
  expect([jittery.carry(packet(), 0), jittery.carry(packet(), 1)]).toEqual([[90], [90]]);
  // For each packet: jitter, then whether it may overtake.
  const overtaking = new PacketPath({ jitterMs: 100, reordering: 0.5 }, draws(0.9, 0, 0.1, 0));
  expect([overtaking.carry(packet(), 0), overtaking.carry(packet(), 1)]).toEqual([[90], [11]]);
});

test('loss, duplication, corruption and the black hole', () => {
  expect(new PacketPath({ loss: 0.1 }, always).carry(packet(), 0)).toEqual([]);
  expect(new PacketPath({ duplication: 0.1 }, always).carry(packet(), 5)).toEqual([5, 5]);
  const bytes = packet(30);
  new PacketPath({ corruption: 0.1 }, always).carry(bytes, 0);
  expect(bytes.findIndex((byte) => byte !== 0)).toBe(20);
  const path = new PacketPath({}, never);
  path.isBlackHole = true;
  expect(path.carry(packet(), 0)).toEqual([]);
  path.isBlackHole = false;
  expect(path.carry(packet(), 0)).toEqual([0]);
  expect(path.counts.lost).toBe(1);
});

test('an outage loses everything until it is over', () => {
  const outage = { chance: 0.5, meanMs: 100 };
  const path = new PacketPath({ outage }, draws(0, 0.5, 0.9));
  expect(path.carry(packet(), 0)).toEqual([]);
  expect(path.carry(packet(), 99)).toEqual([]);
  expect(path.carry(packet(), 101)).toEqual([101]);
});
