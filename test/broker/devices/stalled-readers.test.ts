import { expect, test } from 'vitest';
import { keysOf } from '../../../src/server/kernel-queues.js';
import { BrokerWorld } from '../broker-world.js';

const PAYLOAD = 'x'.repeat(8000);
/** With its headers. */
const PACKET_BYTES = 8006;

/** A subscriber of which the system says how many bytes wait, and a publisher. */
async function withSubscriber() {
  const state = { queuedBytes: 0, looks: 0 };
  const world = await BrokerWorld.start({
    kernelQueues: (addresses) => {
      state.looks++;
      return new Map([...addresses].map((address) => [address, state.queuedBytes]));
    },
  });
  const client = world.connect('reader', {}, 4);
  client.subscribe('t');
  const publisher = world.connect('publisher');
  const flood = (messages: number): number => {
    for (let i = 0; i < messages; i++) publisher.publish('t', PAYLOAD);
    return client.payloads().length;
  };
  return { world, client, flood, state };
}

test('a reader who keeps up loses nothing and is looked at now and then', async () => {
  const { world, flood, state } = await withSubscriber();
  let received = 0;
  for (let i = 0; i < 40; i++) {
    received += flood(5);
    world.advance(10);
  }
  expect(received).toBe(200);
  expect(state.looks).toBeGreaterThan(3);
  expect(state.looks).toBeLessThan(25);
  expect(world.broker.statistics.stalls).toBe(0);
});

test('a system that answers slowly is asked rarely: with very many connections it takes long', async () => {
  const { world, flood, state } = await withSubscriber();
  const costMs = 40;
  const wallMs = world.time.wallMs.bind(world.time);
  let spentMs = 0;
  let looks = 0;
  world.time.wallMs = () => {
    // Each look reads the clock behind its question again.
    if (state.looks > looks) {
      looks = state.looks;
      spentMs += costMs;
    }
    return wallMs() + spentMs;
  };
  state.queuedBytes = 100_000;
  for (let i = 0; i < 1000; i++) {
    flood(1);
    world.advance(20);
  }
  expect(spentMs).toBeGreaterThan(0);
  expect(spentMs).toBeLessThan(20_000 / 20);
});

test('one that receives nothing any more is found, and served again when it reads', async () => {
  const { world, client, flood, state } = await withSubscriber();
  // CONNACK and SUBACK were written too.
  let written = 9;
  for (let i = 0; i < 30; i++) {
    written += PACKET_BYTES * flood(5);
    state.queuedBytes = written;
    world.advance(20);
  }
  expect(written).toBeLessThan(300_000);
  expect(world.log.filter(({ event }) => event === 'stalled')).toMatchObject([
    { client: 'reader' },
  ]);
  expect(world.broker.statistics.dropped.outbox_full).toBeGreaterThan(100);
  client.send({ cmd: 'pingreq' });
  expect(client.packets()).toMatchObject([{ cmd: 'pingresp' }]);
  state.queuedBytes = 1000;
  world.advance(200);
  expect(flood(5)).toBe(5);
});

test('one that has kept up may pause for a while', async () => {
  const { world, flood, state } = await withSubscriber();
  let received = 0;
  for (let i = 0; i < 10; i++) {
    received += flood(5);
    world.advance(10);
  }
  let waiting = 0;
  for (let i = 0; i < 5; i++) {
    const messages = flood(5);
    received += messages;
    waiting += PACKET_BYTES * messages;
    state.queuedBytes = waiting;
    world.advance(80);
  }
  expect(received).toBe(75);
  expect(world.broker.statistics.stalls).toBe(0);
  world.advance(600);
  expect(world.broker.statistics.stalls).toBe(1);
});

test('one that acknowledges is not taken for one that has stopped', async () => {
  const { world, client, state } = await withSubscriber();
  client.subscribe('q', { qos: 1 });
  const publisher = world.connect('other');
  for (let i = 0; i < 30; i++) {
    for (let j = 0; j < 12; j++) publisher.publish('t', PAYLOAD);
    publisher.publish('q', PAYLOAD, { qos: 1 });
    for (const packet of client.packets()) {
      const { cmd, qos, messageId } = packet as { cmd: string; qos?: number; messageId?: number };
      if (cmd === 'publish' && qos === 1) client.send({ cmd: 'puback', messageId: messageId! });
    }
    // As much as is written, or more: by this alone nothing has arrived.
    state.queuedBytes += 110_000;
    world.advance(50);
  }
  expect(world.broker.statistics.stalls).toBe(0);
});

test('a slow one that goes on receiving is left alone', async () => {
  const { world, flood, state } = await withSubscriber();
  let written = 0;
  for (let i = 0; i < 30; i++) {
    written += PACKET_BYTES * flood(5);
    state.queuedBytes = Math.max(0, written - i * 35_000);
    world.advance(10);
  }
  expect(world.broker.statistics.stalls).toBe(0);
});

test('addresses are written as the tables of Linux have them', () => {
  expect(keysOf('127.0.0.1:1883')).toEqual([
    '0100007F:075B',
    '0000000000000000FFFF00000100007F:075B',
  ]);
  expect(keysOf('[::1]:80')).toEqual(['00000000000000000000000001000000:0050']);
  expect(keysOf('[2001:db8::5]:80')).toEqual(['B80D0120000000000000000005000000:0050']);
  expect(keysOf('local')).toEqual([]);
});
