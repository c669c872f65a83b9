import { repeatedly } from '../faults.js';
import type { Cast, Scenario } from '../scenario.js';
import { SimClient } from '../sim-client.js';
import { WorkingClient } from '../working-client.js';
import type { World } from '../world.js';
import { keepPublishing, persistentClients, TOPICS } from './traffic.js';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** Below the time after which the broker gives a message up that it has seen passed over. */
const JOB_MS_MAX = 8 * MINUTE_MS;
const BAD_SPELL_MS = MINUTE_MS;

function newWorker(world: World, i: number): WorkingClient {
  const { chance } = world;
  const version = chance.pick([4, 5] as const);
  return new WorkingClient(world, {
    name: `worker${i}`,
    version,
    isPersistent: true,
    keepAliveSeconds: chance.pick([0, 30, 270]),
    ...(version === 5 && { receiveMaximum: chance.pick([1, 2, 5, 50]) }),
    works: chance.pick(['in-order', 'side-by-side', 'side-by-side']),
    shortMsMax: chance.pick([1, 200, 3000]),
    longMsMax: chance.pick([10_000, 2 * MINUTE_MS, JOB_MS_MAX]),
    longPercent: chance.pick([3, 20, 80]),
    isBySize: chance.percent(40),
    worksBefore: chance.pick(['pubrec', 'pubcomp']),
    goesOn: chance.percent(50),
  });
}

/** For a minute the links hold for a few seconds only; some devices give up on them themselves. */
function badSpell(world: World, clients: readonly SimClient[]): void {
  const { chance } = world;
  const endMs = world.nowMs + BAD_SPELL_MS;
  const victims = clients.filter(() => chance.percent(60));
  const strike = (): void => {
    if (world.isCalm || world.nowMs > endMs) return;
    for (const victim of victims) {
      if (chance.percent(40)) victim.drop();
      else victim.link?.reset();
    }
    world.after(chance.between(300, 9000), 'bad spell', strike);
  };
  strike();
}

/**
 * Hours of healthy clients that a broker could take for sick ones: their jobs take minutes, they
 * acknowledge out of order, their lines are as long as those of satellites, and break each hour.
 */
export const slowWorkers: Scenario = {
  name: 'slow-workers',
  options: (_drawn, seed) => ({
    careForDevices: true,
    activeMs: 2 * HOUR_MS,
    latencyMsMax: [2, 150, 1500][seed % 3]!,
    publishEveryMs: [5000, 20_000][seed % 2]!,
    payloadBytesMax: 400,
    resetEveryMs: HOUR_MS,
    vanishEveryMs: HOUR_MS,
    clogEveryMs: HOUR_MS,
    crashEveryMs: 0,
    reconnectMsMax: 2000,
    inFlightMax: 256,
    sendBufferBytes: 16_384,
    outboxBytesMax: 1_000_000,
    glueTurnsPercent: 50,
    cutting: 'glued',
  }),
  begin: (world): Cast => {
    const { chance } = world;
    const publishers = persistentClients(world, 1, { keepAliveSeconds: 60 });
    const workers = [0, 1, 2].map((i) => newWorker(world, i));
    const plain = new SimClient(world, { name: 'plain', version: 4, isPersistent: true });
    const clients = [...publishers, ...workers, plain];
    for (const client of clients) client.connect();
    for (const client of [...workers, plain]) {
      client.subscribe(chance.pick(['#', 'a/#']), chance.pick([1, 2]));
    }
    keepPublishing(world, publishers, TOPICS);
    repeatedly(world, 'bad spell', HOUR_MS / 2, () => badSpell(world, clients));
    repeatedly(world, 'restart', HOUR_MS, () => {
      const client = chance.pick(clients);
      client.disconnect();
      world.after(chance.between(100, MINUTE_MS), 'back', () => {
        if (!world.isCalm) client.connect();
      });
    });
    return { clients, rude: [], wills: [] };
  },
};
