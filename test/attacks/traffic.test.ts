import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { AttackedBroker } from './attacked-broker.js';
import { connectBytes, inWaves, letIn, publishBytes, Stranger } from './stranger.js';

const RATED = 1;
const COUNTED = 2;
const FLOODERS = 8;
const FLOOD_MS = 2000;

let broker: AttackedBroker;
beforeAll(async () => {
  const url = 'mqtt://127.0.0.1:0';
  // Low: on a slow machine nobody sends more than much.
  broker = await AttackedBroker.start([
    { url, rates: { client: { messages: 100 } } },
    { url, rates: { address: { connections: 1 } } },
  ]);
});
afterAll(() => broker.stop());

/** As fast as the broker reads. */
async function flood(listener: number, name: string): Promise<void> {
  const packet = publishBytes('flood/topic', Buffer.alloc(50));
  const many = Buffer.alloc(packet.length * 500, packet);
  const flooders: Stranger[] = [];
  for (let i = 0; i < FLOODERS; i++) {
    flooders.push(await letIn(broker.port(listener), { clientId: `${name}-${i}` }));
  }
  let isOver = false;
  const sending = flooders.map(async (flooder) => {
    while (!isOver && !flooder.isClosed) await flooder.say(many);
  });
  await delay(FLOOD_MS);
  isOver = true;
  for (const flooder of flooders) flooder.leave();
  await Promise.all(sending);
}

test('8 clients that publish as fast as they can', async () => {
  const attack = (): Promise<void> => flood(0, 'free');
  await broker.withstands(attack, { growthMiBMax: 192, event: 'disconnected' });
});

test('the same where rates are set', async () => {
  const attack = (): Promise<void> => flood(RATED, 'rated');
  const fields = { kind: 'client', name: /^rated-/, what: 'messages', action: 'slowed' };
  await broker.withstands(attack, { growthMiBMax: 192, event: 'rate_exceeded', fields });
});

test('1000 connections of one address where rates are set', async () => {
  let refused = 0;
  const attack = (): Promise<void> =>
    inWaves(1000, 100, async () => {
      const stranger = await Stranger.open(broker.port(COUNTED));
      await stranger.say(connectBytes());
      if ((await stranger.hears(4))[3] !== 0) refused++;
      stranger.leave();
    });
  const fields = { kind: 'address', what: 'connections', action: 'refused' };
  await broker.withstands(attack, { growthMiBMax: 192, event: 'rate_exceeded', fields });
  expect(refused).toBeGreaterThan(500);
});
