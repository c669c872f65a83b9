import { repeatedly } from '../faults.js';
import type { Cast, Scenario } from '../scenario.js';
import { SimClient } from '../sim-client.js';
import { SmallClient } from '../small-client.js';
import { WillClient } from '../will-client.js';
import { keepPublishing, persistentClients, qosOf } from './traffic.js';

const MINUTE_MS = 60_000;

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

/** Firmware that throws away what is larger than its buffer: it gets all the rest, in the end. */
export const deafDevices: Scenario = {
  name: 'deaf-devices',
  options: (_drawn, seed) => ({
    careForDevices: true,
    patienceSeconds: 60,
    activeMs: 10 * MINUTE_MS,
    latencyMsMax: [2, 150, 600][seed % 3]!,
    publishEveryMs: [500, 3000][seed % 2]!,
    payloadBytesMax: 400,
    resetEveryMs: 2 * MINUTE_MS,
    vanishEveryMs: 0,
    clogEveryMs: 0,
    crashEveryMs: 0,
    sendBufferBytes: 16_384,
    outboxBytesMax: 1_000_000,
    inFlightMax: 256,
    cutting: 'glued',
  }),
  begin: (world): Cast => {
    const { chance } = world;
    const publishers = persistentClients(world, 1);
    const deaf = [0, 1, 2].map((i) => {
      return new SmallClient(world, {
        name: `mcu${i}`,
        version: 4,
        isPersistent: true,
        keepAliveSeconds: 10,
        bufferBytes: chance.pick([64, 128, 256]),
        ignoresLarge: true,
      });
    });
    const plain = new SimClient(world, { name: 'plain', version: 4, isPersistent: true });
    const all = [...publishers, ...deaf, plain];
    for (const client of all) client.connect();
    for (const client of [...deaf, plain]) client.subscribe('#', chance.pick([1, 2]));
    keepPublishing(world, publishers);
    // What comes behind large messages in the end shows that those are passed over.
    for (let ms = 20_000; ms < 200_000; ms += 20_000) {
      world.after(world.options.activeMs + ms, 'heartbeat', () => {
        for (const qos of [1, 2] as const) publishers[0]!.publish('b', qos, { isShort: true });
      });
    }
    // One of them sleeps most of the time.
    const sleepy = deaf[0]!;
    repeatedly(world, 'sleeps', MINUTE_MS, () => {
      sleepy.disconnect();
      world.after(chance.between(1000, MINUTE_MS / 2), 'wakes', () => {
        if (!world.isCalm) sleepy.connect();
      });
    });
    return { clients: all, rude: [], wills: [] };
  },
};
