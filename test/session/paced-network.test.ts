import { expect, test } from 'vitest';
import { PacedNetwork } from '../../src/session/paced-network.js';
import { TestTime } from '../broker/test-time.js';
import { FakeNetwork } from './fake-network.js';

const PINGRESP = Uint8Array.of(0xd0, 0);

function message(qos: 0 | 1, bytes: number): Uint8Array {
  const packet = new Uint8Array(2 + bytes);
  packet[0] = 0x30 | (qos << 1);
  packet[1] = bytes;
  return packet;
}

function setUp(pace: { bytesPerSecond: number; quietMs: number }) {
  const time = new TestTime();
  const network = new FakeNetwork();
  let drained = 0;
  const owner = {
    drained: () => {
      drained++;
    },
  };
  const paced = new PacedNetwork(network, pace, time.timers, owner);
  const lengths = (): number[] => {
    network.unsentBytes = 0;
    return network.writes.splice(0).map((parts) => Buffer.concat(parts).length);
  };
  let released = 0;
  const release = {
    written: () => {
      released++;
    },
  };
  return {
    time,
    network,
    paced,
    lengths,
    release,
    drained: () => drained,
    released: () => released,
  };
}

test('one packet a write, as the network takes them, answers first', () => {
  const { network, paced, lengths, release, released } = setUp({ bytesPerSecond: 0, quietMs: 0 });
  const packets = Buffer.concat([message(1, 20), message(1, 30), PINGRESP]);
  paced.write([packets.subarray(0, 25), packets.subarray(25)], release);
  expect(released()).toBe(1);
  expect(lengths()).toEqual([2]);
  expect(paced.drained()).toBe(false);
  expect(lengths()).toEqual([22]);
  expect(paced.unsentBytes).toBe(32);
  paced.drained();
  expect(lengths()).toEqual([32]);
  expect(paced.drained()).toBe(true);
  expect(network.writes).toEqual([]);
});

test('no faster than bytes per second, and with a rest behind QoS 0', () => {
  const { time, paced, lengths, release, drained } = setUp({ bytesPerSecond: 100, quietMs: 500 });
  const nothing = { written() {} };
  paced.write([message(1, 98), message(0, 8), message(0, 8)], release);
  expect(lengths()).toEqual([100]);
  time.advance(900);
  expect(lengths()).toEqual([]);
  time.advance(110);
  expect(lengths()).toEqual([10]);
  time.advance(400);
  paced.write([PINGRESP], nothing);
  expect(lengths()).toEqual([2]);
  time.advance(110);
  expect(lengths()).toEqual([10]);
  expect(drained()).toBe(0);
  time.advance(510);
  expect(drained()).toBe(1);
});

test('the end of the connection lets everything go that waits', () => {
  const { paced, lengths, release } = setUp({ bytesPerSecond: 1, quietMs: 0 });
  paced.write([message(1, 8), message(1, 9)], release);
  paced.close('after-flush');
  expect(lengths()).toEqual([10, 11]);
});

test('what waits goes ahead of DISCONNECT, which nothing may follow', () => {
  const { network, paced, release } = setUp({ bytesPerSecond: 10, quietMs: 0 });
  paced.write([message(1, 20), message(1, 30)], release);
  paced.write([Uint8Array.of(0xe0, 0)], release);
  paced.close('after-flush');
  const sent = network.writes.map((parts) => Buffer.concat(parts)[0]! >>> 4);
  expect(sent).toEqual([3, 3, 14]);
});

test('a length of two bytes is read as one', () => {
  const { paced, lengths, release } = setUp({ bytesPerSecond: 0, quietMs: 0 });
  const large = new Uint8Array(203);
  large.set([0x32, 0xc8, 0x01]);
  paced.write([large, PINGRESP], release);
  expect(lengths()).toEqual([2]);
  paced.drained();
  expect(lengths()).toEqual([203]);
});
