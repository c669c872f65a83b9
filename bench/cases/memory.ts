import type { Address } from '../load/connection.js';
import { inGroups } from '../load/in-groups.js';
import { connectPacket, subscribePackets } from '../load/packets.js';
import { settledMemory } from '../load/process-usage.js';
import { type CaseResult, MIB, pidOf, type Target } from '../load/result.js';
import { LoadSubscriber } from '../load/subscriber.js';

/** As many come and go first, so that the compiler's work is not counted. */
const FIRST_CLIENTS = 1000;

/** What so many connections with one subscription each add to the broker's memory. */
export async function runIdleConnections(clients: number, target: Target): Promise<CaseResult> {
  const pid = pidOf(target);
  const { residentBytes: idleBytes } = await settledMemory(pid);
  await comeAndGo(Math.min(clients, FIRST_CLIENTS), target, false);
  const { residentBytes } = await settledMemory(pid);
  const connected = await inGroups(clients, (index) => join(target, index, false));
  const after = await settledMemory(pid);
  const lost = connected.find(({ failure }) => failure !== undefined);
  for (const client of connected) client.destroy();
  const result = grown(residentBytes, after, clients, 'connection', lost?.failure);
  return { ...result, idleMiB: idleBytes / MIB };
}

/**
 * What so many Sessions add that outlive their connections. The same clients have come and gone
 * before with Clean Session, so that what the connecting itself leaves behind is not counted.
 */
export async function runOfflineSessions(sessions: number, target: Target): Promise<CaseResult> {
  const pid = pidOf(target);
  await comeAndGo(sessions, target, false);
  const before = await settledMemory(pid);
  await comeAndGo(sessions, target, true);
  const after = await settledMemory(pid);
  return grown(before.residentBytes, after, sessions, 'session', undefined);
}

function grown(
  before: number,
  after: { residentBytes: number; proportionalBytes: number },
  count: number,
  unit: string,
  failure: string | undefined,
): CaseResult {
  return {
    failure,
    unit,
    idleMiB: before / MIB,
    residentMiB: after.residentBytes / MIB,
    proportionalMiB: after.proportionalBytes / MIB,
    bytesEach: (after.residentBytes - before) / count,
  };
}

async function comeAndGo(clients: number, target: Target, isPersistent: boolean): Promise<void> {
  await inGroups(clients, async (index) => {
    const client = await join(target, index, isPersistent);
    await client.disconnect();
  });
}

async function join(
  { host, port }: Target,
  index: number,
  isPersistent: boolean,
): Promise<LoadSubscriber> {
  const address: Address = { host, port, transport: 'tcp' };
  const clientIdentifier = `device-${String(index).padStart(7, '0')}`;
  const client = new LoadSubscriber({
    address,
    version: 4,
    connect: connectPacket({ clientIdentifier, version: 4, isPersistent, topicAliasMaximum: 0 }),
    subscribe: subscribePackets([`${clientIdentifier}/commands`], 1, 4),
    payloadBytes: 64,
  });
  await client.subscribed;
  return client;
}
