import { expect, test } from 'vitest';
import { Suspects } from '../../../src/broker/devices/suspects.js';
import { Delivery } from '../../../src/session/delivery.js';
import { Device } from '../../../src/session/device.js';

/** Sent at this time, on the monotonic clock. */
function delivery(sequence: number, sentBytes: number, sentMs: number): Delivery {
  const made = new Delivery(undefined, 1, false);
  made.sequence = sequence;
  made.sentBytes = sentBytes;
  made.sentMs = sentMs;
  return made;
}

function deviceThatTook(bytes: number): Device {
  const device = new Device('d');
  device.largestAcknowledgedBytes = bytes;
  return device;
}

/** Drops `gapMs` apart, each with the message alone on its way; which of them blames it. */
function blamedAt(
  suspects: Suspects,
  device: Device,
  bytes: number,
  gapMs: number,
  isOrderly = true,
): number {
  for (let drop = 1; drop <= 100; drop++) {
    const nowMs = 1000 + drop * gapMs;
    const evidence = {
      delivery: delivery(7, bytes, nowMs),
      inFlight: 1,
      isOrderly,
      isBehindMessages: true,
    };
    if (suspects.dropped(device, evidence, nowMs)) return drop;
  }
  return 0;
}

const IDLE = { delivery: undefined, inFlight: 0, isOrderly: true, isBehindMessages: false };

test('five drops with a packet larger than any that was acknowledged', () => {
  expect(blamedAt(new Suspects(), deviceThatTook(100), 300, 1000)).toBe(5);
});

test('five drops with one of a size that the device takes, over half a minute', () => {
  expect(blamedAt(new Suspects(), deviceThatTook(300), 300, 10_000)).toBe(5);
  expect(blamedAt(new Suspects(), deviceThatTook(300), 300, 1000)).toBe(31);
});

test('over ten times as long where a link may have ended the connections', () => {
  expect(blamedAt(new Suspects(), deviceThatTook(100), 300, 1000, false)).toBe(31);
  expect(blamedAt(new Suspects(), deviceThatTook(300), 300, 5000, false)).toBe(61);
});

test('resets between them change nothing about those that the device has ended in order', () => {
  const suspects = new Suspects();
  const device = deviceThatTook(100);
  const blamed = Array.from({ length: 12 }, (_, i) => {
    const nowMs = 1000 * (i + 1);
    const isOrderly = i % 2 === 1;
    const evidence = { delivery: delivery(7, 300, nowMs), inFlight: 1, isOrderly };
    return suspects.dropped(device, { ...evidence, isBehindMessages: true }, nowMs);
  });
  expect(blamed.indexOf(true)).toBe(9);
});

test('not where the connection broke by itself a moment before', () => {
  const suspects = new Suspects();
  const device = deviceThatTook(300);
  suspects.dropped(device, IDLE, 900);
  expect(blamedAt(suspects, device, 300, 1700)).toBe(0);
});

test('nor a larger one where it has broken by itself again and again', () => {
  const suspects = new Suspects();
  const device = deviceThatTook(100);
  suspects.dropped(device, IDLE, 800);
  suspects.dropped(device, IDLE, 900);
  expect(blamedAt(suspects, device, 300, 1000)).toBe(0);
});

test('nor the one that a device would take which wakes once an hour, for less than a round trip', () => {
  const suspects = new Suspects();
  const device = deviceThatTook(300);
  suspects.dropped(device, IDLE, 900);
  expect(blamedAt(suspects, device, 300, 3_600_000)).toBeGreaterThanOrEqual(20);
});

test('nor where others that were alone at a drop were taken the next time', () => {
  const suspects = new Suspects();
  const device = deviceThatTook(300);
  const evidence = {
    delivery: delivery(6, 300, 500),
    inFlight: 1,
    isOrderly: true,
    isBehindMessages: true,
  };
  suspects.dropped(device, evidence, 510);
  expect(blamedAt(suspects, device, 300, 1700)).toBe(0);
});

test('a drop long after the message was sent has nothing to do with it', () => {
  const suspects = new Suspects();
  const device = deviceThatTook(100);
  for (let drop = 1; drop <= 20; drop++) {
    const evidence = {
      delivery: delivery(7, 300, drop * 10_000),
      inFlight: 1,
      isOrderly: true,
      isBehindMessages: true,
    };
    expect(suspects.dropped(device, evidence, drop * 10_000 + 6000)).toBe(false);
  }
});

test('a device that takes it only together with others is not the fault of the message', () => {
  const suspects = new Suspects();
  const device = deviceThatTook(100);
  for (let drop = 1; drop <= 20; drop++) {
    const evidence = {
      delivery: delivery(7, 300, drop * 1000),
      inFlight: 2,
      isOrderly: true,
      isBehindMessages: true,
    };
    expect(suspects.dropped(device, evidence, drop * 1000)).toBe(false);
  }
});
