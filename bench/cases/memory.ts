import type { Address } from '../load/connection.js';
import { inGroups } from '../load/in-groups.js';
import { connectPacket, subscribePackets } from '../load/packets.js';
import { settledMemory } from '../load/process-usage.js';
import { type CaseResult, MIB, pidOf, type Target } from '../load/result.js';
import { LoadSubscriber } from '../load/subscriber.js';

/**
 * What so many connections with one subscription each add to the memory of a broker that has had
 * none yet, so with the code and the buffers that the first ones bring; and what is above the same
 * mark when they have gone and come a second time.
 */
export async function runIdleConnections(clients: number, target: Target): Promise<CaseResult> {
  const pid = pidOf(target);
  const first = await gather(clients, target, pid);
  const again = await gather(clients, target, pid);
  const result = grown(first.before, first.after, clients, 'connection', first.failure);
  const bytesAgain = (again.after.residentBytes - first.before) / clients;
  const note = `${bytesAgain.toFixed(0)} B each when they have gone and come a second time`;
  return { ...result, failure: result.failure ?? again.failure, note };
}

interface Gathering {
  readonly before: number;
  readonly after: { residentBytes: number; proportionalBytes: number };
  readonly failure: string | undefined;
}

async function gather(clients: number, target: Target, pid: number): Promise<Gathering> {
  const { residentBytes: before } = await settledMemory(pid);
  const connected = await inGroups(clients, (index) => join(target, index, false));
  const after = await settledMemory(pid);
  const lost = connected.find(({ failure }) => failure !== undefined);
  for (const client of connected) client.destroy();
  return { before, after, failure: lost?.failure };
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
