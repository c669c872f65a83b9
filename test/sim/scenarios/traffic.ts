import { repeatedly } from '../faults.js';
import type { Cast, Scenario } from '../scenario.js';
import { type ClientPlan, SimClient } from '../sim-client.js';
import type { SwarmOptions } from '../swarm.js';
import type { World } from '../world.js';

export const TOPICS: readonly string[] = ['a', 'a/b', 'a/c', 'b/c', 'b', '$s/a'];
export const FILTERS: readonly string[] = ['#', 'a/#', 'a/+', '+', '+/c', 'a', 'b/c', '$s/#'];

export function qosOf(world: World): 0 | 1 | 2 {
  return world.chance.pick([0, 1, 1, 2, 2]);
}

/** A few persistent clients of both versions, which publish and subscribe. */
export function persistentClients(
  world: World,
  count: number,
  more: Partial<ClientPlan> = {},
): SimClient[] {
  const { chance, options } = world;
  return Array.from({ length: count }, (_, i): SimClient => {
    return new SimClient(world, {
      name: `c${i}`,
      version: chance.pick([4, 5, 5]),
      isPersistent: true,
      receiveMaximum: options.clientReceiveMaximum,
      topicAliasMaximum: chance.pick([0, 0, 2, 10]),
      keepAliveSeconds: chance.pick([0, 2, 10]),
      ...more,
    });
  });
}

/** Publishes again and again on the topics, each client on its own pace. */
export function keepPublishing(
  world: World,
  clients: readonly SimClient[],
  topics: readonly string[] = TOPICS,
): void {
  for (const client of clients) {
    const everyMs = world.options.publishEveryMs * clients.length;
    repeatedly(world, `${client.plan.name} publishes`, everyMs, () => {
      const burst = world.chance.percent(10) ? 10 : 1;
      for (let i = 0; i < burst; i++) client.publish(world.chance.pick(topics), qosOf(world));
    });
  }
}

/** Now and then a client says goodbye, subscribes to something or takes it back. */
export function keepMoving(world: World, clients: readonly SimClient[], everyMs: number): void {
  const { chance } = world;
  repeatedly(world, 'move', everyMs, () => {
    const client = chance.pick(clients);
    const { filters } = client;
    switch (chance.below(5)) {
      case 0:
        client.disconnect();
        world.after(chance.between(10, 700), `${client.plan.name} is back`, () => {
          if (!world.isCalm) client.connect();
        });
        break;
      case 1:
        if (filters.length > 1) client.unsubscribe(chance.pick(filters));
        break;
      case 2:
        client.drop();
        break;
      default:
        client.subscribe(chance.pick(FILTERS), qosOf(world), chance.percent(20));
    }
  });
}

function begin(world: World): Cast {
  const { chance } = world;
  const clients = persistentClients(world, chance.between(2, 5));
  for (const client of clients) {
    client.connect();
    client.subscribe(chance.pick(FILTERS), qosOf(world), chance.percent(20));
    client.subscribe(chance.pick(FILTERS), qosOf(world));
  }
  keepPublishing(world, clients);
  keepMoving(world, clients, 150);
  return { clients, rude: [], wills: [] };
}

/** Everybody publishes and subscribes, and nothing breaks but the network. */
export const traffic: Scenario = {
  name: 'traffic',
  options: () => ({ crashEveryMs: 0 }),
  begin,
};

/** Clients that are back before the disk has answered, and a broker that dies meanwhile. */
const quickReturns: Partial<SwarmOptions> = {
  activeMs: 2500,
  crashEveryMs: 350,
  resetEveryMs: 60,
  reconnectMsMax: 3,
  latencyMsMax: 1,
  diskLatencyMsMax: 40,
  publishEveryMs: 8,
};

/** The same, with a broker that dies again and again. */
export const crashUnderLoad: Scenario = {
  name: 'crash-under-load',
  options: ({ crashEveryMs, diskLatencyMsMax }, seed) =>
    seed % 2 === 0
      ? {
          crashEveryMs: crashEveryMs === 0 ? 900 : crashEveryMs,
          diskLatencyMsMax: Math.max(1, diskLatencyMsMax),
        }
      : quickReturns,
  begin,
};

/** Nothing breaks at all: what is promised holds to the letter. */
export const calmTraffic: Scenario = {
  name: 'calm-traffic',
  options: () => ({ crashEveryMs: 0, resetEveryMs: 0, vanishEveryMs: 0, clogEveryMs: 0 }),
  begin: (world) => {
    const clients = persistentClients(world, 3);
    for (const client of clients) client.connect();
    for (const client of clients) client.subscribe('#', qosOf(world));
    keepPublishing(world, clients);
    return { clients, rude: [], wills: [] };
  },
};
