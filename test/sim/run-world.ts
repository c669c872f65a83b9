import { auditEmptiness, auditRecovery, auditRetained } from './audit.js';
import { beginFaults, unclog } from './faults.js';
import type { Cast, Scenario } from './scenario.js';
import { drawSwarm, type SwarmOptions } from './swarm.js';
import { World } from './world.js';

const REST_STEP_MS = 2000;
const REST_MS_MAX = 240_000;
const LINES_SHOWN = 40;

export interface Outcome {
  readonly seed: number;
  readonly scenario: string;
  readonly options: SwarmOptions;
  readonly violations: readonly string[];
  readonly hash: string;
  readonly events: number;
  readonly messages: number;
  readonly crashes: number;
  readonly diskWrites: number;
  readonly lastLines: readonly string[];
}

/** One world from its first event to the empty broker at its end. */
export async function runWorld(
  seed: number,
  scenario: Scenario,
  more: Partial<SwarmOptions> = {},
): Promise<Outcome> {
  const drawn = drawSwarm(seed);
  const options = { ...drawn, ...scenario.options(drawn, seed), ...more };
  const linesKept = Number(process.env['LINES'] ?? LINES_SHOWN);
  const world = new World(seed, options, linesKept);
  await world.boot();
  const cast = scenario.begin(world);
  beginFaults(world, cast.clients);
  await world.run(options.activeMs);
  await comeToRest(world, cast, scenario.patienceMs ?? 0);
  if (world.oracle.violations.length === 0) await judge(world, cast);
  return {
    seed,
    scenario: scenario.name,
    options,
    violations: world.oracle.violations,
    hash: world.trace.hash,
    events: world.trace.count,
    messages: world.oracle.messages.size,
    crashes: world.crashes.length,
    diskWrites: world.disk.writes,
    lastLines: world.trace.lastLines,
  };
}

/** Nothing goes wrong any more: first a crash with full queues, then everybody gets what is theirs. */
async function comeToRest(world: World, cast: Cast, patienceMs: number): Promise<void> {
  world.calmSinceMs = world.nowMs;
  world.disk.repair();
  for (const link of world.links) unclog(link);
  for (const client of [...cast.rude, ...cast.clients]) client.leave();
  await world.run(world.nowMs + 8000);
  if (world.process === undefined || world.oracle.violations.length > 0) return;
  await auditRecovery(world);
  for (const client of cast.clients) client.connect();
  const endMs = world.nowMs + REST_MS_MAX;
  do await world.run(world.nowMs + REST_STEP_MS);
  while (!isAtRest(world, cast) && world.nowMs < endMs && world.oracle.violations.length === 0);
  if (world.oracle.violations.length > 0) return;
  if (!isAtRest(world, cast)) world.oracle.check();
  if (!isAtRest(world, cast))
    world.oracle.violation(`does not come to rest: ${unrest(world, cast)}`);
  await world.run(world.nowMs + patienceMs);
}

function isAtRest(world: World, cast: Cast): boolean {
  return unrest(world, cast) === '';
}

function unrest(world: World, cast: Cast): string {
  if (world.process === undefined) return 'no process';
  const reasons: string[] = [];
  for (const client of cast.clients) {
    const { plan, isConnected, outgoing, isIdle } = client;
    if (!isConnected) reasons.push(`${plan.name} is not connected`);
    else if (!isIdle) reasons.push(`${plan.name} waits for ${outgoing.size} answers`);
    const session = world.process.broker.sessions.get(plan.name);
    if (session === undefined) continue;
    const { waiting, inFlight, queue } = session.outbound;
    const { count, openExchanges, headSequence, tailSequence } = queue;
    if (waiting === 0 && inFlight === 0 && openExchanges === 0) continue;
    reasons.push(
      `${plan.name}: ${waiting} waiting, ${inFlight} in flight, ${openExchanges} open exchanges, ` +
        `${count} stored, ${headSequence} to ${tailSequence}`,
    );
  }
  if (world.process.store.pendingBytes > 0) reasons.push('the store has work');
  return reasons.join(', ');
}

async function judge(world: World, cast: Cast): Promise<void> {
  const { oracle } = world;
  const { statistics } = world.process!.broker;
  oracle.addDrops(statistics.dropped);
  world.care.deadLettered += statistics.deadLettered;
  oracle.check();
  auditRetained(world);
  const timesReceived = (id: string): number => {
    const counts = oracle.epochs.map((epoch) => epoch.receipts.get(id)?.length ?? 0);
    return counts.reduce((sum, count) => sum + count, 0);
  };
  for (const client of cast.wills) client.check(timesReceived);
  for (const client of cast.clients) client.disconnect();
  await world.run(world.nowMs + 8000);
  await auditEmptiness(world);
}

/** What whoever looks at a failure needs. */
export function describeOutcome(outcome: Outcome): string {
  const { seed, scenario, options, violations, hash, lastLines } = outcome;
  return [
    `SEED=${seed} SCENARIO=${scenario} npx vitest run test/sim`,
    `options ${JSON.stringify(options)}`,
    `trace ${hash}, ${outcome.events} events, ${outcome.crashes} crashes`,
    ...lastLines,
    ...violations,
  ].join('\n');
}
