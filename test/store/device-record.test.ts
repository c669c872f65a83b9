import { expect, test } from 'vitest';
import { deviceOf, recordOf } from '../../src/broker/devices/device-record.js';
import { Device, UNLIMITED } from '../../src/session/device.js';
import { DamagedRecord } from '../../src/store/damaged-record.js';
import { decodeDevice, encodeDevice } from '../../src/store/device-record.js';
import { deviceKey } from '../../src/store/key.js';
import { RecordWriter } from '../../src/store/record-writer.js';

function knownDevice(): Device {
  const device = new Device('mcu/7 \u00e4');
  device.fingerprint = '4 30 false 20';
  device.packetBytesMax = 255;
  device.steppedDownTo = 1;
  device.resendLoops = 3;
  device.stalls = 4;
  device.slowLinks = 5;
  device.leftAtWallMs = 1_790_000_000_123;
  device.countConnection(1_790_000_000_000);
  device.countEnd('network');
  device.countEnd('network');
  device.countEnd('taken-over');
  for (const ms of [1, 30, 400, 70_000]) device.addLatency(ms);
  return device;
}

function stored(device: Device): { key: Uint8Array; value: Uint8Array } {
  const value = encodeDevice(new RecordWriter(), recordOf(device));
  return { key: deviceKey(device.clientIdentifier), value };
}

test('a device comes back as it was', () => {
  const device = knownDevice();
  const back = deviceOf(decodeDevice(stored(device)));
  expect(recordOf(back)).toEqual(recordOf(device));
  expect(back.latency.quantileMs(0.5)).toBe(device.latency.quantileMs(0.5));
  expect(back.ends).toEqual(device.ends);
});

test('one of which little is known, too', () => {
  const back = deviceOf(decodeDevice(stored(new Device('d'))));
  expect(back.packetBytesMax).toBe(UNLIMITED);
  expect(back.latency.count).toBe(0);
});

test('a record of an older broker has fewer numbers', () => {
  const record = { ...recordOf(knownDevice()), numbers: [255, 7] };
  expect(deviceOf(record)).toMatchObject({
    packetBytesMax: 255,
    learnedAtWallMs: 7,
    resendLoops: 0,
    slowLinks: 0,
  });
});

test('every shorter value is damage', () => {
  const { key, value } = stored(knownDevice());
  for (let length = 0; length < value.length; length++) {
    const cut = { key, value: value.subarray(0, length) };
    expect(() => decodeDevice(cut)).toThrow(DamagedRecord);
  }
});
