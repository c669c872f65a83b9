import { repeatedly, swizzleClog } from '../faults.js';
import { RUDENESSES, RudeClient, type Rudeness } from '../rude-client.js';
import type { Cast, Scenario } from '../scenario.js';
import { SimClient } from '../sim-client.js';
import type { World } from '../world.js';
import { keepMoving, keepPublishing, persistentClients, qosOf } from './traffic.js';

function rudeClients(world: World, rudenesses: readonly Rudeness[]): RudeClient[] {
  const { chance } = world;
  return rudenesses.map((rudeness, i) => {
    const client = new RudeClient(world, {
      name: `rude${i}`,
      version: chance.pick([4, 5]),
      isPersistent: chance.percent(50),
      receiveMaximum: chance.pick([1, 5, 100]),
    });
    client.rudeness = rudeness;
    client.connect();
    client.subscribe('#', qosOf(world));
    repeatedly(world, `${rudeness}`, 150, () => client.misbehave());
    return client;
  });
}

/** Clients that break every rule among clients that keep them. */
export const rudeGuests: Scenario = {
  name: 'rude-guests',
  options: () => ({}),
  begin: (world): Cast => {
    const clients = persistentClients(world, 3);
    for (const client of clients) {
      client.connect();
      client.subscribe('#', qosOf(world));
    }
    const rude = rudeClients(world, RUDENESSES);
    keepPublishing(world, [...clients, ...rude]);
    keepMoving(world, clients, 300);
    return { clients, rude, wills: [] };
  },
};

/** Two with one Client Identifier throw each other out, again and again. [MQTT-3.1.4-3] */
export const takeOvers: Scenario = {
  name: 'take-overs',
  options: () => ({}),
  begin: (world): Cast => {
    const { chance } = world;
    const clients = persistentClients(world, 2);
    for (const client of clients) {
      client.connect();
      client.subscribe('#', qosOf(world));
    }
    const isPersistent = chance.percent(70);
    const twins = [0, 1, 2].map(() => {
      const version = chance.pick([4, 5] as const);
      const plan = { name: 'twin', version, isPersistent, isContested: true };
      const twin = new RudeClient(world, plan);
      twin.rudeness = chance.pick(['never-acknowledges', 'acknowledges-late', 'resends']);
      twin.connect();
      twin.subscribe(chance.pick(['#', 'a/#']), qosOf(world));
      repeatedly(world, 'new session', 500, () => twin.discardSession());
      return twin;
    });
    keepPublishing(world, clients);
    repeatedly(world, 'vanish', 120, () => chance.pick(clients).vanish());
    return { clients, rude: twins, wills: [] };
  },
};

/** Many that come and go all the time, with clean and kept Sessions. */
export const storm: Scenario = {
  name: 'storm',
  options: () => ({ activeMs: 1500, payloadBytesMax: 20 }),
  begin: (world): Cast => {
    const { chance } = world;
    const clients = persistentClients(world, 6);
    const clean = Array.from({ length: 8 }, (_, i) => {
      const version = chance.pick([4, 5] as const);
      return new SimClient(world, { name: `clean${i}`, version, isPersistent: false });
    });
    const all = [...clients, ...clean];
    for (const client of all) {
      client.connect();
      client.subscribe(chance.pick(['#', 'a/#', '+']), qosOf(world));
    }
    repeatedly(world, 'storm', 15, () => {
      const client = chance.pick(all);
      if (chance.percent(10) && !clean.includes(client)) client.discardSession();
      if (chance.percent(50)) client.drop();
      else client.vanish();
    });
    keepPublishing(world, all);
    return { clients: all, rude: [], wills: [] };
  },
};

/** Links stop one after the other and go on in another order. */
export const swizzle: Scenario = {
  name: 'swizzle-clog',
  options: () => ({ clogEveryMs: 0 }),
  begin: (world): Cast => {
    const clients = persistentClients(world, 5, { keepAliveSeconds: 1 });
    for (const client of clients) {
      client.connect();
      client.subscribe('#', qosOf(world));
    }
    keepPublishing(world, clients);
    repeatedly(world, 'swizzle', 800, () => swizzleClog(world));
    return { clients, rude: [], wills: [] };
  },
};
