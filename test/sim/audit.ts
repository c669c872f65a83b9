import { NEVER_EXPIRES } from '../../src/wire/application-message.js';
import { SimClient } from './sim-client.js';
import { WALL_START_MS } from './virtual-time.js';
import type { World } from './world.js';

/** Sessions that nothing ends while the world is looked at. */
const LASTING_SECONDS = 50_000;
/** From a crash at rest until the state is looked at again. */
const RECOVERY_MS = 1000;
const META_FAMILY = 0x4d;
const DEVICE_FAMILY = 0x56;

/** The durable state of the broker in plain words: two that differ show what a crash has changed. */
export function durableState(world: World): string[] {
  const { broker } = world.process!;
  const lines: string[] = [];
  for (const session of broker.sessions.all()) {
    if (!session.isStored || session.expirySeconds < LASTING_SECONDS) continue;
    if (session.will !== undefined) continue;
    const { outbound, clientIdentifier, receivedCount } = session;
    const { queue } = outbound;
    lines.push(
      `session ${clientIdentifier} queue ${queue.count} (${queue.bytes} bytes), ` +
        `waiting ${outbound.waiting}, received ${receivedCount}`,
    );
    for (const { topicFilter, options, identifier } of session.subscriptions.values()) {
      lines.push(`${clientIdentifier} ${topicFilter} ${JSON.stringify(options)} ${identifier}`);
    }
  }
  for (const message of broker.retained.matching('#')) {
    if (message === undefined || message.expiresAtWallMs !== NEVER_EXPIRES) continue;
    const payload = Buffer.from(message.payload).toString('latin1');
    lines.push(`retained ${message.topicName} ${payload} qos ${message.qos}`);
  }
  return lines.sort();
}

/** Waits until no will falls due while the state is compared: one that does changes it by right. */
async function passDueWills(world: World): Promise<void> {
  for (;;) {
    const nowWallMs = WALL_START_MS + world.nowMs;
    const isDueSoon = [...world.process!.broker.sessions.all()].some(
      ({ willDueWallMs }) => willDueWallMs > 0 && willDueWallMs <= nowWallMs + 2 * RECOVERY_MS,
    );
    if (!isDueSoon || world.oracle.violations.length > 0) return;
    await world.run(world.nowMs + RECOVERY_MS);
  }
}

/** Crashes a broker at rest: recovery must give back exactly what was there. */
export async function auditRecovery(world: World): Promise<void> {
  await passDueWills(world);
  const before = durableState(world);
  world.crash();
  await world.run(world.nowMs + RECOVERY_MS);
  if (world.process === undefined) return;
  const after = durableState(world);
  const lost = before.filter((line) => !after.includes(line));
  const came = after.filter((line) => !before.includes(line));
  if (lost.length + came.length === 0) return;
  world.oracle.violation(
    `a crash at rest changed the state: gone ${lost.slice(0, 4).join('; ')}; ` +
      `new ${came.slice(0, 4).join('; ')}`,
  );
}

/** What is retained is the last retained publish of each topic, or one that came behind it. */
export function auditRetained(world: World): void {
  const kept = new Map<string, string>();
  for (const message of world.process!.broker.retained.matching('#')) {
    if (message === undefined) continue;
    kept.set(message.topicName, Buffer.from(message.payload).toString('latin1'));
  }
  const byTopic = new Map<string, Set<string>>();
  const last = new Map<string, { number: number; step: number }>();
  for (const {
    topic,
    retain,
    ackedStep,
    number,
    firstSentStep,
  } of world.oracle.messages.values()) {
    if (!retain || ackedStep === Number.POSITIVE_INFINITY) continue;
    if (number > (last.get(topic)?.number ?? 0)) last.set(topic, { number, step: firstSentStep });
  }
  for (const message of world.oracle.messages.values()) {
    if (!message.retain || message.lastSentStep === 0) continue;
    const { number, step } = last.get(message.topic) ?? { number: 0, step: 0 };
    if (message.number < number && message.lastSentStep <= step) continue;
    const possible = byTopic.get(message.topic) ?? new Set(number === 0 ? [''] : []);
    byTopic.set(message.topic, possible);
    possible.add(message.payload.toString('latin1'));
    if (message.expirySeconds > 0) possible.add('');
  }
  for (const topic of new Set([...kept.keys(), ...byTopic.keys()])) {
    const payload = kept.get(topic) ?? '';
    if (byTopic.get(topic)?.has(payload) === true) continue;
    world.oracle.violation(`retained on ${topic} is '${payload.slice(0, 40)}', not the last one`);
  }
}

/** Everybody leaves for good: then nothing is left, in memory or on disk. */
export async function auditEmptiness(world: World): Promise<void> {
  const { process, oracle } = world;
  if (process === undefined) return;
  const { broker, store, time } = process;
  const names = [...broker.sessions.all()].map((session) => session.clientIdentifier);
  const leavers = names.map(
    (name) => new SimClient(world, { name, version: 4, isPersistent: false }),
  );
  for (const leaver of leavers) leaver.connect();
  const topics = [...broker.retained.matching('#')].flatMap((message) => message?.topicName ?? []);
  const cleaner = new SimClient(world, { name: 'cleaner', version: 5, isPersistent: false });
  cleaner.connect();
  for (const topic of topics) cleaner.publish(topic, 1, { retain: true, clears: true });
  await world.run(world.nowMs + 8000);
  for (const leaver of [...leavers, cleaner]) leaver.disconnect();
  // Until what is known of them is stored, too.
  await world.run(world.nowMs + 80_000);
  const left = {
    connections: broker.connections,
    sessions: broker.sessions.count,
    retained: broker.retained.count,
    retainedBytes: broker.retained.bytes,
    timers: time.armedTimers,
    pendingBytes: store.pendingBytes,
    sharedBodies: store.sharedBodies,
    links: world.links.size,
  };
  const records: string[] = [];
  for (const [key] of world.disk.durable.from(new Uint8Array(0))) {
    if (key[0] !== META_FAMILY && key[0] !== DEVICE_FAMILY)
      records.push(Buffer.from(key).toString('latin1'));
  }
  const isEmpty = Object.values(left).every((count) => count === 0) && records.length === 0;
  if (isEmpty && time.quiet) return;
  oracle.violation(
    `all have left, but there is ${JSON.stringify(left)}, ` +
      `${records.length} records: ${JSON.stringify(records.slice(0, 5))}`,
  );
}
