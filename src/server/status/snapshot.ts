import type { Broker } from '../../broker/broker.js';
import type { DeviceHealth } from '../../broker/devices/health.js';
import type { Statistics } from '../../session/statistics.js';
import { packageVersion } from '../version.js';

/** Of the clients that were seen last, so many are told of. */
const CLIENTS_MAX = 500;

/** What the status page tells, as JSON has it. */
export interface Snapshot {
  readonly version: string;
  readonly node: string;
  readonly uptimeSeconds: number;
  readonly memoryBytes: number;
  readonly durability: string;
  readonly storeWorks: boolean;
  readonly listeners: readonly string[];
  readonly connections: number;
  readonly sessions: number;
  readonly retainedMessages: number;
  readonly retainedBytes: number;
  readonly statistics: Statistics;
  /** Those in trouble first, then those seen last. */
  readonly clients: readonly DeviceHealth[];
}

export interface SnapshotParts {
  readonly broker: Broker;
  readonly durability: string;
  readonly listeners: readonly string[];
  readonly storeWorks: () => boolean;
}

const VERSION = packageVersion();

export function takeSnapshot(parts: SnapshotParts): Snapshot {
  const { broker, durability, listeners, storeWorks } = parts;
  const clients = broker.devices.health(CLIENTS_MAX).reverse();
  return {
    version: VERSION,
    node: process.version,
    uptimeSeconds: Math.round(process.uptime()),
    memoryBytes: process.memoryUsage.rss(),
    durability,
    storeWorks: storeWorks(),
    listeners,
    connections: broker.connections,
    sessions: broker.sessions.count,
    retainedMessages: broker.retained.count,
    retainedBytes: broker.retained.bytes,
    statistics: broker.statistics,
    clients: clients.sort((one, other) => one.score - other.score),
  };
}
