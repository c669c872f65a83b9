import { createServer, type Server, type Socket } from 'node:net';
import { Aedes } from 'aedes';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startBroker } from '../support/broker-process.js';
import type { BrokerProcess } from '../support/supervised-process.js';
import { type Facts, flows } from './legacy-flows.js';

interface Difference {
  readonly aedes: Facts;
  readonly dunlin: Facts;
  readonly why: string;
}

/**
 * Where the two brokers differ, and why Dunlin does as it does. A difference that is not listed fails
 * the test, and so does a listed one that is gone.
 */
const differences: Readonly<Record<string, Difference>> = {
  'empty Client Identifier, Clean Session 0': {
    aedes: { returnCode: 0 },
    dunlin: { returnCode: 2 },
    why: 'The Server must answer 0x02 and close: nobody could ever come back to this Session [MQTT-3.1.3-8].',
  },
  'QoS of a message through a wildcard': {
    aedes: { granted: [1], message: 'wildcard/x=two qos2' },
    dunlin: { granted: [1], message: 'wildcard/x=two qos1' },
    why: 'No delivery may have a higher QoS than the subscription; aedes looks it up by Topic Name and misses wildcards.',
  },
  'PUBREL for an unknown identifier': {
    aedes: { closed: false, packets: [] },
    dunlin: { closed: false, packets: ['pubcomp'] },
    why: 'A client whose PUBCOMP was lost repeats PUBREL for ever unless it is answered [MQTT-4.3.3-2].',
  },
  'overlapping filters': {
    aedes: { messages: ['overlap/x=copy qos0'] },
    dunlin: { messages: ['overlap/x=copy qos1'] },
    why: 'One copy, with the highest QoS of the filters that match [MQTT-3.3.5-1].',
  },
  'a shared subscription in 3.1.1': {
    aedes: { messages: [] },
    dunlin: { messages: ['shared/x=one qos0'] },
    why: 'Shared subscriptions serve 3.1.1 clients too; to aedes $share is a Topic Filter like another.',
  },
};

let broker: BrokerProcess;
let aedes: Aedes;
let server: Server;
const sockets = new Set<Socket>();

beforeAll(async () => {
  broker = await startBroker();
  aedes = await Aedes.createBroker();
  server = createServer((socket) => {
    sockets.add(socket);
    aedes.handle(socket);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
});

afterAll(async () => {
  await broker.stop();
  for (const socket of sockets) socket.destroy();
  server.close();
  await new Promise<void>((resolve) => {
    aedes.close(resolve);
  });
});

test.each(Object.keys(flows))('aedes and Dunlin: %s', async (name) => {
  const flow = flows[name]!;
  const address = server.address();
  const aedesPort = typeof address === 'object' && address !== null ? address.port : 0;
  const [theirs, ours] = await Promise.all([flow(aedesPort), flow(broker.port)]);
  const difference = differences[name];
  expect({ aedes: theirs, dunlin: ours }).toEqual(
    difference === undefined
      ? { aedes: ours, dunlin: ours }
      : { aedes: difference.aedes, dunlin: difference.dunlin },
  );
  if (difference !== undefined) expect(theirs).not.toEqual(ours);
});

test('every explained difference names a flow', () => {
  expect(Object.keys(flows)).toEqual(expect.arrayContaining(Object.keys(differences)));
});
