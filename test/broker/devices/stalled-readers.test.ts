import { expect, test } from 'vitest';
import type { DeviceOptions } from '../../../src/broker/devices/device-options.js';
import { keysOf } from '../../../src/server/kernel-queues.js';
import { BrokerWorld } from '../broker-world.js';

const PAYLOAD = 'x'.repeat(8000);
const HERE = '127.0.0.1';
const FAR = '198.51.100.7';
/** With its headers. */
const PACKET_BYTES = 8006;

/** A subscriber of which the system says how many bytes wait, and a publisher. */
async function withSubscriber(host: string, devices: Partial<DeviceOptions> = {}) {
  const state = { queuedBytes: 0, resendMs: 300, looks: 0 };
  const world = await BrokerWorld.start({
    devices,
    kernelQueues: (addresses) => {
      state.looks++;
      const { queuedBytes, resendMs } = state;
      return new Map([...addresses].map((address) => [address, { queuedBytes, resendMs }]));
    },
  });
  const client = world.open(4, host);
  client.send({
    cmd: 'connect',
    protocolId: 'MQTT',
    protocolVersion: 4,
    clean: true,
    keepalive: 0,
    clientId: 'reader',
  });
  client.take('connack');
  client.subscribe('t');
  const publisher = world.connect('publisher');
  const flood = (messages: number): number => {
    for (let i = 0; i < messages; i++) publisher.publish('t', PAYLOAD);
    return client.payloads().length;
  };
  return { world, client, flood, state };
}

test('a reader who keeps up loses nothing and is looked at now and then', async () => {
  const { world, flood, state } = await withSubscriber(HERE);
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
  const { world, flood, state } = await withSubscriber(HERE);
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
  const { world, client, flood, state } = await withSubscriber(HERE);
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
  const health = world.broker.devices.health();
  expect(health.find(({ clientIdentifier }) => clientIdentifier === 'reader')!.stalls).toBe(1);
  expect(world.broker.statistics.dropped.outbox_full).toBeGreaterThan(100);
  client.send({ cmd: 'pingreq' });
  expect(client.packets()).toMatchObject([{ cmd: 'pingresp' }]);
  state.queuedBytes = 1000;
  world.advance(200);
  expect(flood(5)).toBe(5);
});

test('one that has kept up may pause for a while', async () => {
  const { world, flood, state } = await withSubscriber(HERE);
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
  const { world, client, state } = await withSubscriber(HERE);
  client.subscribe('q', { qos: 1 });
  const publisher = world.connect('other');
  for (let i = 0; i < 18; i++) {
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

/** Floods a reader that receives nothing for this time; how many messages it was sent of 5 each 20 ms. */
async function floodStill(
  stillMs: number,
  resendMs: number,
  devices: Partial<DeviceOptions> = {},
): Promise<{ sent: number; of: number; dropped: number }> {
  const { world, flood, state } = await withSubscriber(FAR, devices);
  state.resendMs = resendMs;
  let sent = 0;
  const rounds = stillMs / 20;
  for (let i = 0; i < rounds; i++) {
    sent += flood(5);
    state.queuedBytes = sent * PACKET_BYTES + 9;
    world.advance(20);
  }
  const dropped = world.broker.devices.health().find((d) => d.clientIdentifier === 'reader')!;
  return { sent, of: 5 * rounds, dropped: dropped.droppedQoS0 };
}

test('one behind a long line loses nothing while the line is still for a moment', async () => {
  const { sent, of, dropped } = await floodStill(800, 400);
  expect(sent).toBe(of);
  expect(dropped).toBe(0);
});

test('one behind a satellite loses nothing in a round trip of three seconds', async () => {
  const { world, flood, state } = await withSubscriber(FAR);
  state.resendMs = 3200;
  let sent = 0;
  const droppedWithin = (ms: number): number => {
    for (let i = 0; i < ms / 100; i++) {
      sent += flood(1);
      state.queuedBytes = sent * PACKET_BYTES + 9;
      world.advance(100);
    }
    return world.broker.statistics.dropped.outbox_full;
  };
  sent += flood(20);
  expect(droppedWithin(3000)).toBe(0);
  expect(world.broker.statistics.stalls).toBe(0);
  expect(droppedWithin(5000)).toBeGreaterThan(0);
  expect(world.broker.statistics.stalls).toBe(1);
});

test('one that is still for a few times what the system waits is found, its drops counted', async () => {
  const { sent, of, dropped } = await floodStill(3000, 400);
  expect(sent).toBeLessThan(of / 2);
  expect(dropped).toBe(of - sent);
});

test('one that a rule leaves out is never taken for stalled', async () => {
  const devices = { rules: [{ match: { client: 'read*' }, stalledReaders: false }] };
  const { sent, of } = await floodStill(3000, 400, devices);
  expect(sent).toBe(of);
});

test('a slow one that goes on receiving is left alone', async () => {
  const { world, flood, state } = await withSubscriber(HERE);
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
