import { describe, expect, test } from 'vitest';
import { type BurstDrop, StepDown } from '../../../src/broker/devices/step-down.js';
import { Device } from '../../../src/session/device.js';
import { BrokerWorld } from '../broker-world.js';
import { SmallDevice } from './small-device.js';

const HOUR_MS = 3_600_000;

function drop(nowMs: number, nowWallMs: number, sequence: number, isLink = false): BurstDrop {
  return { nowMs, nowWallMs, sequence, isLink };
}

describe('the decision', () => {
  test('three drops within five minutes, not further apart', () => {
    const stepDown = new StepDown();
    const device = new Device('d');
    expect(stepDown.dropped(device, drop(0, 0, 0))).toBe(0);
    expect(stepDown.dropped(device, drop(100_000, 0, 0))).toBe(0);
    expect(stepDown.dropped(device, drop(350_000, 0, 0))).toBe(0);
    expect(device.steppedDownTo).toBe(0);
    expect(stepDown.dropped(device, drop(390_000, 0, 0))).toBe(3);
    expect(device.steppedDownTo).toBe(1);
  });

  test('two where the same stored message is first in line both times', () => {
    const stepDown = new StepDown();
    const device = new Device('d');
    expect(stepDown.dropped(device, drop(0, 0, 7))).toBe(0);
    expect(stepDown.dropped(device, drop(1000, 0, 7))).toBe(2);
    const other = new Device('e');
    stepDown.dropped(other, drop(0, 0, 7));
    expect(stepDown.dropped(other, drop(1000, 0, 8))).toBe(0);
  });

  test('twice as many where the link is known to break by itself', () => {
    const stepDown = new StepDown();
    const device = new Device('d');
    for (let i = 0; i < 5; i++) expect(stepDown.dropped(device, drop(i, 0, i + 1, true))).toBe(0);
    expect(stepDown.dropped(device, drop(6, 0, 7, true))).toBe(6);
  });

  test('goes back by doubling, each step after a calm hour', () => {
    const stepDown = new StepDown();
    const device = new Device('d');
    for (let i = 0; i < 3; i++) stepDown.dropped(device, drop(i, 0, 0));
    expect(stepDown.calm(device, HOUR_MS - 1)).toBe(false);
    const windows: number[] = [];
    for (let hour = 1; hour <= 5; hour++) {
      stepDown.calm(device, hour * HOUR_MS);
      windows.push(device.steppedDownTo);
    }
    expect(windows).toEqual([2, 4, 8, 0, 0]);
  });

  test('a drop on the way up costs twice the calm', () => {
    const stepDown = new StepDown();
    const device = new Device('d');
    for (let i = 0; i < 3; i++) stepDown.dropped(device, drop(i, 0, 0));
    stepDown.calm(device, HOUR_MS);
    expect(stepDown.dropped(device, drop(5, HOUR_MS, 0))).toBe(1);
    expect(device.steppedDownTo).toBe(1);
    expect(stepDown.calm(device, 3 * HOUR_MS - 1)).toBe(false);
    expect(stepDown.calm(device, 3 * HOUR_MS)).toBe(true);
  });
});

describe('a client that loses its framing when messages come together', () => {
  test.each([0, 1] as const)('gets its retained messages at QoS %d', async (qos) => {
    const world = await BrokerWorld.start();
    const publisher = world.connect('publisher');
    const payloads = Array.from({ length: 8 }, (_, i) => `${i}`.padEnd(200, '.'));
    payloads.forEach((payload, i) => {
      publisher.publish(`t/${i}`, payload, { qos: 1, retain: true });
    });
    const device = new SmallDevice(world, 'lwip', {
      bufferBytes: 1000,
      closes: true,
      clean: true,
      isFragile: true,
      subscribes: { topic: 't/#', qos },
    });
    device.connect();
    device.live(20_000);
    expect(device.drops).toBe(3);
    expect(new Set(device.payloads)).toEqual(new Set(payloads));
    const lines = world.log.filter(({ event }) => event === 'stepped_down');
    expect(lines).toMatchObject([{ client: 'lwip', drops: 3 }]);
    expect(lines[0]!.sentence).toContain('one packet at a time');
    device.payloads.length = 0;
    for (let i = 0; i < 5; i++) publisher.publish('t/live', `live ${i}`);
    device.live(2000);
    expect(device.payloads).toEqual(['live 0', 'live 1', 'live 2', 'live 3', 'live 4']);
    expect(device.drops).toBe(3);
  });

  test('is left alone where that is switched off', async () => {
    const world = await BrokerWorld.start({ devices: { rules: [{ match: {}, stepDown: false }] } });
    const publisher = world.connect('publisher');
    for (let i = 0; i < 3; i++) publisher.publish(`t/${i}`, 'm', { qos: 1, retain: true });
    const device = new SmallDevice(world, 'lwip', {
      bufferBytes: 1000,
      closes: true,
      clean: true,
      isFragile: true,
      subscribes: { topic: 't/#', qos: 1 },
    });
    device.connect();
    device.live(10_000);
    expect(device.drops).toBeGreaterThan(5);
  });
});

test('a rule for a pattern of Client Identifiers holds from the first connection', async () => {
  const rules = [{ match: { client: 'lwip-*' }, inFlightMax: 1, onePacketPerWrite: true }];
  const world = await BrokerWorld.start({ devices: { rules } });
  const publisher = world.connect('publisher');
  for (let i = 0; i < 4; i++) publisher.publish(`t/${i}`, 'm', { qos: 1, retain: true });
  const options = {
    bufferBytes: 1000,
    closes: true,
    clean: true,
    isFragile: true,
    subscribes: { topic: 't/#', qos: 1 },
  } as const;
  const device = new SmallDevice(world, 'lwip-7', options);
  device.connect();
  device.live(3000);
  expect(device.drops).toBe(0);
  expect(device.payloads).toHaveLength(4);
  const other = new SmallDevice(world, 'other', options);
  other.connect();
  other.live(500);
  expect(other.drops).toBeGreaterThan(0);
});
