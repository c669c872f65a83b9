import { repeatedly } from '../faults.js';
import type { Cast, Scenario } from '../scenario.js';
import { SimClient } from '../sim-client.js';
import { SmallClient } from '../small-client.js';
import { WillClient } from '../will-client.js';
import { keepPublishing, persistentClients, qosOf } from './traffic.js';

/**
 * Healthy clients on links that break all the time, and a broker that cares for small devices: it
 * must not take one for a device that cannot take its messages.
 */
export const flakyLinks: Scenario = {
  name: 'flaky-links',
  options: ({ resetEveryMs }, seed) => ({
    careForDevices: true,
    activeMs: 8000,
    // Every other world has links that break several times a second.
    resetEveryMs: seed % 2 === 0 ? 237 : resetEveryMs,
    crashEveryMs: seed % 5 === 0 ? 1500 : 0,
  }),
  patienceMs: 40_000,
  begin: (world): Cast => {
    const { chance } = world;
    const clients = persistentClients(world, 3);
    const mortal = new WillClient(world, {
      name: 'w0',
      version: chance.pick([4, 5]),
      isPersistent: true,
      keepAliveSeconds: 2,
      willTopic: 'will/0',
      delaySeconds: 0,
    });
    for (const client of clients) {
      client.connect();
      client.subscribe(chance.pick(['a/#', '+']), qosOf(world));
      client.subscribe('b/#', qosOf(world));
    }
    clients[0]!.subscribe('will/#', 2);
    world.after(500, 'mortal', () => {
      mortal.connect();
      mortal.subscribe('a/#', chance.pick([1, 2]));
    });
    keepPublishing(world, clients);
    repeatedly(world, 'away', 400, () => {
      const client = chance.pick(clients);
      client.disconnect();
      world.after(chance.between(10, 700), 'back', () => {
        if (!world.isCalm) client.connect();
      });
    });
    return { clients: [...clients, mortal], rude: [], wills: [mortal] };
  },
};

/** Among them devices with small buffers: what they cannot take is accounted for, and nothing else. */
export const smallBuffers: Scenario = {
  name: 'small-buffers',
  options: () => ({
    careForDevices: true,
    activeMs: 6000,
    payloadBytesMax: 400,
    crashEveryMs: 0,
    reconnectMsMax: 120,
  }),
  begin: (world): Cast => {
    const { chance } = world;
    const clients = persistentClients(world, 2);
    const small = [0, 1].map((i) => {
      return new SmallClient(world, {
        name: `mcu${i}`,
        version: chance.pick([4, 5]),
        isPersistent: true,
        receiveMaximum: chance.pick([1, 5, 20]),
        bufferBytes: chance.pick([128, 256]),
      });
    });
    const plain = new SimClient(world, { name: 'plain', version: 4, isPersistent: false });
    const all = [...clients, ...small, plain];
    for (const client of all) {
      client.connect();
      client.subscribe(chance.pick(['#', 'a/#']), chance.pick([1, 2]));
    }
    keepPublishing(world, clients);
    return { clients: all, rude: [], wills: [] };
  },
};
