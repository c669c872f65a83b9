import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { AttackedBroker } from './attacked-broker.js';
import {
  bytesOf,
  connectBytes,
  inWaves,
  letIn,
  publishBytes,
  Stranger,
  settle,
  subscribe,
} from './stranger.js';

const MIB = 1_048_576;
const PLAIN = { retain: false, dup: false } as const;

let broker: AttackedBroker;
beforeAll(async () => {
  const limits = { retained_messages_max: 5000, sessions_max: 2000, queued_bytes_max: '8MiB' };
  broker = await AttackedBroker.start([], { limits });
});
afterAll(() => broker.stop());

test('a flood of 50,000 retained messages', async () => {
  const attack = async (): Promise<void> => {
    const flooder = await letIn(broker.port(0), { clientId: 'retains' });
    const payload = Buffer.alloc(500);
    for (let i = 0; i < 50_000; i++) {
      await flooder.say(publishBytes(`retained/${i}`, payload, { retain: true }));
    }
    await settle(flooder);
    flooder.leave();
  };
  const fields = { client: 'retains', reason: 'retained_full' };
  await broker.withstands(attack, { growthMiBMax: 192, event: 'message_dropped', fields });
});

test('50 subscriptions to all retained messages at once', async () => {
  const attack = async (): Promise<void> => {
    await inWaves(50, 50, async () => {
      const stranger = await letIn(broker.port(0));
      // All levels of the tree are looked at in vain.
      await subscribe(stranger, ['+/+/nothing', 'retained/#']);
      await settle(stranger);
      stranger.leave();
    });
  };
  await broker.withstands(attack, { growthMiBMax: 256, event: 'disconnected' });
});

test('20 subscribers that stop reading while 200 MB come', async () => {
  const slow: Stranger[] = [];
  const attack = async (): Promise<void> => {
    for (let i = 0; i < 20; i++) {
      const stranger = await letIn(broker.port(0), { clientId: `slow-${i}` });
      await subscribe(stranger, ['torrent']);
      stranger.socket.pause();
      slow.push(stranger);
    }
    const publisher = await letIn(broker.port(0), { clientId: 'torrent' });
    const packet = publishBytes('torrent', Buffer.alloc(100_000));
    for (let i = 0; i < 2000; i++) await publisher.say(packet);
    await settle(publisher);
    publisher.leave();
    for (const stranger of slow) stranger.leave();
  };
  const fields = { client: /^slow-/, reason: 'outbox_full' };
  await broker.withstands(attack, { growthMiBMax: 320, event: 'message_dropped', fields });
});

test('a subscriber that never acknowledges', async () => {
  const attack = async (): Promise<void> => {
    const deaf = await letIn(broker.port(0), { clientId: 'deaf' });
    const subscriptions = [{ topic: 'work', qos: 2 as const }];
    await deaf.say(bytesOf({ cmd: 'subscribe', messageId: 1, subscriptions }));
    const publisher = await letIn(broker.port(0), { clientId: 'works' });
    for (let i = 0; i < 1000; i++) {
      const messageId = i + 1;
      await publisher.say(publishBytes('work', Buffer.alloc(50_000), { qos: 1, messageId }));
    }
    await settle(publisher);
    await delay(300);
    deaf.leave();
    publisher.leave();
  };
  const fields = { client: 'deaf', reason: 'queue_full' };
  await broker.withstands(attack, { growthMiBMax: 192, event: 'message_dropped', fields });
});

/** Texts of digits are hashed by their value alone where a JavaScript engine is careless. */
test('names that collide in hash tables', async () => {
  const attack = async (): Promise<void> => {
    const collider = await letIn(broker.port(0), { clientId: 'collider', version: 5 });
    const names = Array.from({ length: 20_000 }, (_, i) => `${i * 65_536}`);
    for (let at = 0; at < names.length; at += 1000) {
      const subscriptions = names.slice(at, at + 1000).map((topic) => ({ topic, qos: 0 as const }));
      await collider.say(bytesOf({ cmd: 'subscribe', messageId: 1, subscriptions }, 5));
    }
    const userProperties = Object.fromEntries(names.slice(0, 2000).map((name) => [name, '']));
    for (const topic of names) {
      await collider.say(bytesOf({ cmd: 'publish', topic, payload: 'x', qos: 0, ...PLAIN }, 5));
    }
    const properties = { userProperties };
    const packet = { cmd: 'publish', topic: 'x', payload: 'x', qos: 0, ...PLAIN } as const;
    for (let i = 0; i < 20; i++) await collider.say(bytesOf({ ...packet, properties }, 5));
    await settle(collider);
    collider.leave();
    await inWaves(1500, 100, async (i) => {
      (await letIn(broker.port(0), { clientId: names[i]! })).leave();
    });
  };
  await broker.withstands(attack, { growthMiBMax: 256, event: 'disconnected' });
});

test('500 Topic Names of 60,000 bytes', async () => {
  const attack = async (): Promise<void> => {
    const stranger = await letIn(broker.port(0), { clientId: 'long-topics' });
    for (let i = 0; i < 500; i++) {
      await stranger.say(publishBytes(`${i}${'x'.repeat(60_000)}`, Buffer.alloc(MIB / 64)));
    }
    await settle(stranger);
    stranger.leave();
  };
  await broker.withstands(attack, { growthMiBMax: 256 });
});

test('a flood of sessions: 5000 Client Identifiers, each to be kept', async () => {
  let refused = 0;
  const attack = (): Promise<void> =>
    inWaves(5000, 100, async (i) => {
      const stranger = await Stranger.open(broker.port(0));
      await stranger.say(connectBytes({ clientId: `random-${i}`, clean: false }));
      if ((await stranger.hears(4))[3] !== 0) refused++;
      stranger.leave();
    });
  const fields = { client: /^random-/ };
  await broker.withstands(attack, { growthMiBMax: 192, event: 'refused', fields });
  // Who had a session before still comes in.
  (await letIn(broker.port(0), { clientId: 'random-0', clean: false })).leave();
  expect(refused).toBeGreaterThan(2900);
});
