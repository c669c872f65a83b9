import { repeatedly } from '../faults.js';
import type { Cast, Scenario } from '../scenario.js';
import { SimClient } from '../sim-client.js';
import type { World } from '../world.js';
import { keepMoving, keepPublishing, persistentClients, qosOf, TOPICS } from './traffic.js';

/** Readers that are slow or away, queues that are short, and each rule of what happens then. */
export const fullQueues: Scenario = {
  name: 'full-queues',
  options: ({ crashEveryMs }, seed) => ({
    queuedMessagesMax: 5 + (seed % 20),
    queueOverflow: (['drop-oldest', 'drop-newest', 'refuse'] as const)[seed % 3]!,
    // A crash may forget a drop that was counted, or count one that it forgets: not here.
    crashEveryMs: seed % 4 === 0 ? crashEveryMs : 0,
  }),
  begin: (world): Cast => {
    const publishers = persistentClients(world, 2);
    const readers = [0, 1, 2].map((i) => {
      return new SimClient(world, {
        name: `slow${i}`,
        version: world.chance.pick([4, 5]),
        isPersistent: true,
        receiveMaximum: world.options.clientReceiveMaximum,
        readsSlowly: [world.chance.between(5, 300), world.chance.between(5, 60)],
      });
    });
    const clients = [...publishers, ...readers];
    for (const client of clients) client.connect();
    for (const reader of readers) reader.subscribe('#', qosOf(world));
    keepPublishing(world, publishers);
    repeatedly(world, 'away', 300, () => {
      const reader = world.chance.pick(readers);
      reader.disconnect();
      world.after(world.chance.between(50, 900), 'back', () => {
        if (!world.isCalm) reader.connect();
      });
    });
    return { clients, rude: [], wills: [] };
  },
};

/** Messages that may be late for those who are away. [MQTT-3.3.2-5] */
export const expiry: Scenario = {
  name: 'expiry',
  options: () => ({ activeMs: 6000 }),
  begin: (world): Cast => {
    const { chance } = world;
    const clients = persistentClients(world, 3, { version: 5 });
    for (const client of clients) {
      client.connect();
      client.subscribe('#', qosOf(world));
    }
    for (const client of clients) {
      repeatedly(world, 'publishes', world.options.publishEveryMs * 3, () => {
        const expirySeconds = chance.pick([0, 1, 2]);
        client.publish(chance.pick(TOPICS), qosOf(world), { expirySeconds });
      });
    }
    repeatedly(world, 'away', 400, () => {
      const client = chance.pick(clients);
      client.disconnect();
      world.after(chance.between(500, 3000), 'back', () => {
        if (!world.isCalm) client.connect();
      });
    });
    return { clients, rude: [], wills: [] };
  },
};

/** One writer for each topic: what is retained is what it wrote last. */
export const retainedFlood: Scenario = {
  name: 'retained-flood',
  options: () => ({ activeMs: 3000 }),
  begin: (world): Cast => {
    const { chance } = world;
    const writers = persistentClients(world, 2);
    const clean = [0, 1, 2].map((i) => {
      const version = chance.pick([4, 5] as const);
      return new SimClient(world, { name: `reader${i}`, version, isPersistent: false });
    });
    const clients = [...writers, ...clean];
    for (const client of clients) client.connect();
    for (const writer of writers) {
      const topics = Array.from({ length: 12 }, (_, i) => `r/${writer.plan.name}/${i}`);
      keepWriting(world, writer, topics);
    }
    keepMoving(world, clean, 60);
    repeatedly(world, 'leave', 100, () => chance.pick(clean).drop());
    return { clients, rude: [], wills: [] };
  },
};

function keepWriting(world: World, writer: SimClient, topics: readonly string[]): void {
  const { chance, options } = world;
  repeatedly(world, `${writer.plan.name} writes`, options.publishEveryMs * 2, () => {
    const clears = chance.percent(15);
    const expirySeconds = chance.percent(10) ? 2 : 0;
    writer.publish(chance.pick(topics), qosOf(world), { retain: true, clears, expirySeconds });
  });
}

/** Small worlds whose disk fails at the operation that the seed names. */
export const failingDisk: Scenario = {
  name: 'failing-disk',
  options: ({ failAtWrite, failAtRead }, seed) => ({
    activeMs: 1500,
    crashEveryMs: 0,
    failAtWrite: failAtWrite >= 0 || seed % 3 === 0 ? failAtWrite : (seed * 7) % 300,
    failAtRead: seed % 3 === 0 ? (seed * 5) % 20 : failAtRead,
  }),
  begin: (world): Cast => {
    const clients = persistentClients(world, 3);
    for (const client of clients) {
      client.connect();
      client.subscribe('#', qosOf(world));
    }
    keepPublishing(world, clients);
    keepMoving(world, clients, 200);
    return { clients, rude: [], wills: [] };
  },
};
