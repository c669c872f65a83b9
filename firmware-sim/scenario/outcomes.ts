import type { Distribution, Samples } from '../base/samples.js';
import { residentBytes, sendQueues } from '../broker/memory.js';
import type { DeviceReport } from '../device/report.js';
import type { DeliveryReport } from './ledger.js';
import type { PlacedDevice, World } from './world.js';

const MILLISECONDS_OF_AN_HOUR = 3_600_000;

/** What every scenario reports, all its devices together; backends are left out. */
export interface Outcomes {
  readonly devices: number;
  /** Lost, duplicated and reordered end to end, and how long they took, for each QoS. */
  readonly messages: Readonly<Record<string, DeliveryReport>>;
  /** Jain's index over what each publisher brought to its receivers, of what it sent. */
  readonly fairness: number | undefined;
  readonly connackMs: Distribution;
  readonly subackMs: Distribution;
  /** PUBACK or PUBCOMP. */
  readonly ackMs: Distribution;
  readonly pingrespMs: Distribution;
  /** From the dial of a connection to its first message, either way. */
  readonly firstUsefulMs: Distribution;
  /** From the end of a connection to CONNACK with the session. */
  readonly resumeMs: Distribution;
  readonly connections: number;
  /** Of those beyond the first of each device. */
  readonly reconnectsPerDeviceHour: number;
  readonly sessionsResumed: number;
  /** Ends that no device asked for, by what it saw. */
  readonly drops: Readonly<Record<string, number>>;
  /** Messages sent again, and those received with DUP. */
  readonly resent: number;
  readonly receivedDup: number;
  /** Of all that was received. */
  readonly receivedDupShare: number;
  readonly oversize: number;
  /** Own messages of devices that nobody has acknowledged at the end. */
  readonly unacknowledged: number;
  readonly wireBytes: number;
  readonly wireBytesPerPayloadByte: number;
  readonly airtimeMs: number;
  readonly wakes: number;
  readonly wakesFromOutside: number;
  readonly milliJoules: number;
  readonly brokerResidentBytes: number | undefined;
  readonly kernelSendQueueBytes: number | undefined;
  readonly perDevice: readonly DeviceOutcome[];
}

/** What one device paid for all of it. */
export interface DeviceOutcome {
  readonly name: string;
  readonly link: string;
  readonly radio: string;
  readonly wakes: number;
  readonly airtimeMs: number;
  readonly milliJoules: number;
  readonly wireBytes: number;
  readonly connections: number;
}

export function outcomesOf(world: World): Outcomes {
  const { placed } = world;
  const reports = placed.map(({ device }) => device.report);
  const energies = placed.map(({ energy }) => energy.report(world.nowMs()));
  const measured = (of: (report: DeviceReport) => Samples): Distribution =>
    world.samplesOf(placed, ({ device }) => of(device.report)).distribution();
  const wireBytes = sum(placed, ({ link }) => link.usage.wireBytes);
  const payloadBytes = sum(
    placed,
    ({ link }) => link.usage.payloadBytesUp + link.usage.payloadBytesDown,
  );
  const connections = sum(reports, (report) => report.connections);
  const deviceHours = (placed.length * (world.nowMs() - world.startedMs)) / MILLISECONDS_OF_AN_HOUR;
  const again = sum(reports, (report) => Math.max(0, report.connections - 1));
  const received = sum(reports, (report) => report.received);
  const receivedDup = sum(reports, (report) => report.receivedDup);
  return {
    devices: placed.length,
    messages: world.ledger.deliveries(),
    fairness: world.ledger.fairness(),
    connackMs: measured((report) => report.connackMs),
    subackMs: measured((report) => report.subackMs),
    ackMs: measured((report) => report.ackMs),
    pingrespMs: measured((report) => report.pingrespMs),
    firstUsefulMs: measured((report) => report.firstUsefulMs),
    resumeMs: measured((report) => report.resumeMs),
    connections,
    reconnectsPerDeviceHour: again / deviceHours,
    sessionsResumed: sum(reports, ({ sessionsResumed }) => sessionsResumed),
    drops: dropsOf(reports),
    resent: sum(reports, ({ resent }) => resent),
    receivedDup,
    receivedDupShare: received === 0 ? 0 : receivedDup / received,
    oversize: sum(reports, ({ oversize }) => oversize),
    unacknowledged: sum(placed, ({ device }) => device.waiting),
    wireBytes,
    wireBytesPerPayloadByte: wireBytes / payloadBytes,
    airtimeMs: sum(energies, ({ airtimeMs }) => airtimeMs),
    wakes: sum(energies, ({ wakes }) => wakes),
    wakesFromOutside: sum(energies, ({ wakesFromOutside }) => wakesFromOutside),
    milliJoules: sum(energies, ({ milliJoules }) => milliJoules),
    brokerResidentBytes: residentBytes(world.broker.pid),
    kernelSendQueueBytes: kernelBytes(world),
    perDevice: placed.map((one) => outcomeOf(one, world.nowMs())),
  };
}

function outcomeOf({ name, device, link, energy }: PlacedDevice, nowMs: number): DeviceOutcome {
  const { wakes, airtimeMs, milliJoules, wireBytes } = energy.report(nowMs);
  const { profile } = link;
  const { connections } = device.report;
  const paid = { wakes, airtimeMs, milliJoules, wireBytes, connections };
  return { name, link: profile.name, radio: profile.radio, ...paid };
}

function sum<T>(items: readonly T[], value: (item: T) => number): number {
  return items.reduce((total, item) => total + value(item), 0);
}

function dropsOf(reports: readonly DeviceReport[]): Record<string, number> {
  const all: Record<string, number> = {};
  for (const { drops } of reports) {
    for (const [why, times] of drops) all[why] = (all[why] ?? 0) + times;
  }
  return all;
}

function kernelBytes({ broker, placed }: World): number | undefined {
  const queues = sendQueues(broker.port);
  if (queues === undefined || broker.pid === undefined) return undefined;
  const ports = placed.flatMap(({ link }) => link.localPorts);
  return sum(ports, (port) => queues.get(port) ?? 0);
}
