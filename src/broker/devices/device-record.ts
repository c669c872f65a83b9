import { Device } from '../../session/device.js';
import type { DeviceRecord } from '../store.js';

/** As they stand in a record, before the longest latency. */
const NUMBERS = [
  'packetBytesMax',
  'learnedAtWallMs',
  'steppedDownTo',
  'calmMs',
  'calmSinceWallMs',
  'firstSeenWallMs',
  'connectedAtWallMs',
  'leftAtWallMs',
  'connections',
  'drops',
  'takeOvers',
  'duplicates',
  'oversize',
  'deadLettered',
  'droppedQoS0',
  'largestAcknowledgedBytes',
  'pingJitterMs',
  'hourAtWallMs',
  'hourConnections',
  'earlierConnections',
] as const satisfies readonly (keyof Device)[];

/** Behind it. New ones go to the end: an older record has fewer. */
const LATER_NUMBERS = [
  'resendLoops',
  'stalls',
  'slowLinks',
] as const satisfies readonly (keyof Device)[];

export function recordOf(device: Device): DeviceRecord {
  const { clientIdentifier, fingerprint, latency, ends } = device;
  return {
    clientIdentifier,
    fingerprint,
    numbers: [
      ...NUMBERS.map((name) => device[name]),
      latency.maxMs,
      ...LATER_NUMBERS.map((name) => device[name]),
    ],
    latencies: latency.counts(),
    ends: new Map(ends),
  };
}

export function deviceOf(record: DeviceRecord): Device {
  const device = new Device(record.clientIdentifier);
  device.fingerprint = record.fingerprint;
  for (const [i, name] of NUMBERS.entries()) device[name] = record.numbers[i] ?? device[name];
  for (const [i, name] of LATER_NUMBERS.entries()) {
    device[name] = record.numbers[NUMBERS.length + 1 + i] ?? device[name];
  }
  device.restoreLatency(record.latencies, record.numbers[NUMBERS.length] ?? 0);
  device.ends = new Map(record.ends);
  device.isStored = true;
  return device;
}

/** When it was connected last, or went, in Unix epoch milliseconds. */
export function lastSeenWallMs({ connectedAtWallMs, leftAtWallMs }: Device): number {
  return Math.max(connectedAtWallMs, leftAtWallMs);
}
