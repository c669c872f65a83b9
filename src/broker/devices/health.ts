import { type Device, UNLIMITED } from '../../session/device.js';

/** What the broker knows of one client, for people and programs that look after devices. */
export interface DeviceHealth {
  readonly clientIdentifier: string;
  readonly isConnected: boolean;
  /** 100 is a device without any trouble. */
  readonly score: number;
  /** What stands out, in plain words. */
  readonly sentence: string;
  readonly connections: number;
  readonly connectionsPerHour: number;
  /** Connections that it dropped shortly behind messages. */
  readonly drops: number;
  readonly takeOvers: number;
  /** PUBLISH, PUBREL and SUBSCRIBE packets that it sent again without a need. */
  readonly duplicates: number;
  /** Times that it was found to stumble over the same resent packet on each connection. */
  readonly resendLoops: number;
  /** Messages dropped or dead-lettered because they were larger than it takes. */
  readonly oversize: number;
  /** Times that it was found to have stopped reading. */
  readonly stalls: number;
  /** Connections whose link was found to be slower than what is sent to it. */
  readonly slowLinks: number;
  /** QoS 0 messages dropped because it read too slowly. */
  readonly droppedQoS0: number;
  readonly deadLettered: number;
  readonly largestAcknowledgedBytes: number;
  /** Undefined while nothing is known. */
  readonly packetBytesMax: number | undefined;
  /** Messages it is sent at a time while it is stepped down; 0 while it is not. */
  readonly steppedDownTo: number;
  /** Within a factor of 1.4; 0 without any acknowledgement. */
  readonly acknowledgementMedianMs: number;
  readonly acknowledgementMaxMs: number;
  /** How far its PINGREQs are from an even pace. */
  readonly pingJitterMs: number;
  /** How often connections ended, by kind of cause. */
  readonly ends: Readonly<Record<string, number>>;
  /** Unix epoch milliseconds; 0 for never. */
  readonly connectedAtWallMs: number;
  readonly leftAtWallMs: number;
  /** Undefined while it is away. */
  readonly served: Service | undefined;
}

/**
 * How a client is served while it is connected: by what it asked for, by limits and rules, and by
 * what was learned about it.
 */
export interface Service {
  /** QoS 1 and 2 messages in flight. */
  readonly inFlightMax: number;
  /** Undefined is as large as they come. */
  readonly packetBytesMax: number | undefined;
  /** Undefined is as fast as it takes them. */
  readonly paceBytesPerSecond: number | undefined;
  readonly isOnePacketPerWrite: boolean;
  /** 0 is none. */
  readonly keepAliveSeconds: number;
  /** Longest silence, whatever the Keep Alive; 0 leaves it to that. */
  readonly idleSecondsMax: number;
}

interface Trouble {
  readonly weight: number;
  readonly sentence: string;
}

const MEDIAN_SLOW_MS = 5000;
/** More connections than one in five minutes are restless. */
const RESTLESS_PER_HOUR = 12;

/** The device's health now. */
export function healthOf(
  device: Device,
  served: Service | undefined,
  nowWallMs: number,
): DeviceHealth {
  const troubles = troublesOf(device, nowWallMs);
  const lost = troubles.reduce((sum, { weight }) => sum + weight, 0);
  const median = device.latency.quantileMs(0.5);
  return {
    clientIdentifier: device.clientIdentifier,
    isConnected: served !== undefined,
    score: Math.max(0, 100 - lost),
    sentence: troubles.map(({ sentence }) => sentence).join('; ') || 'nothing stands out',
    connections: device.connections,
    connectionsPerHour: device.connectionsPerHour(nowWallMs),
    drops: device.drops,
    takeOvers: device.takeOvers,
    duplicates: device.duplicates,
    resendLoops: device.resendLoops,
    oversize: device.oversize,
    stalls: device.stalls,
    slowLinks: device.slowLinks,
    droppedQoS0: device.droppedQoS0,
    deadLettered: device.deadLettered,
    largestAcknowledgedBytes: device.largestAcknowledgedBytes,
    packetBytesMax: device.packetBytesMax === UNLIMITED ? undefined : device.packetBytesMax,
    steppedDownTo: device.steppedDownTo,
    acknowledgementMedianMs: median,
    acknowledgementMaxMs: device.latency.maxMs,
    pingJitterMs: Math.round(device.pingJitterMs),
    ends: Object.fromEntries(device.ends),
    connectedAtWallMs: device.connectedAtWallMs,
    leftAtWallMs: device.leftAtWallMs,
    served,
  };
}

function troublesOf(device: Device, nowWallMs: number): Trouble[] {
  const troubles: Trouble[] = [];
  const add = (weight: number, sentence: string): void => {
    troubles.push({ weight, sentence });
  };
  if (device.packetBytesMax !== UNLIMITED) {
    add(25, `it takes no packets over ${device.packetBytesMax} bytes`);
  } else if (device.deadLettered > 0) add(20, 'it could not take some messages');
  else if (device.oversize > 0) add(10, `${messagesWere(device.oversize)} larger than it takes`);
  if (device.steppedDownTo > 0) add(25, `it gets ${device.steppedDownTo} packet at a time`);
  if (device.takeOvers >= 3) add(20, `it was replaced ${device.takeOvers} times`);
  if (device.duplicates >= 10) add(10, 'it sends packets again without waiting');
  if (device.latency.quantileMs(0.5) >= MEDIAN_SLOW_MS) add(10, 'it acknowledges slowly');
  if (device.resendLoops > 0) add(15, 'it stumbled over the same resent packet again and again');
  const silent = device.ends.get('keep-alive-timeout') ?? 0;
  if (silent >= 3) add(10, `it fell silent ${silent} times`);
  const perHour = device.connectionsPerHour(nowWallMs);
  if (perHour > RESTLESS_PER_HOUR) add(15, `it has connected ${perHour} times within an hour`);
  if (device.slowLinks > 0) add(5, 'its link was slower than what it is sent');
  if (device.droppedQoS0 > 0) {
    add(10, `${device.droppedQoS0} QoS 0 messages were dropped because it read too slowly`);
  }
  return troubles;
}

function messagesWere(count: number): string {
  return count === 1 ? '1 message was' : `${count} messages were`;
}
