import { expect, test } from 'vitest';
import { BrokerWorld } from '../broker-world.js';
import { encoded } from '../packets.js';

const CONNECT = {
  cmd: 'connect',
  protocolId: 'MQTT',
  protocolVersion: 4,
  clean: true,
  keepalive: 60,
  clientId: 'mcu',
};

test.each([3, 4] as const)(
  'CONNACK is four bytes in one write, and the first (%d)',
  async (version) => {
    const world = await BrokerWorld.start();
    const elder = world.connect('elder', { clean: false }, version);
    elder.subscribe('t', { qos: 1 });
    elder.drop();
    world.connect('publisher').publish('t', 'waits', { qos: 1 });
    const client = world.open(version);
    const protocolId = version === 3 ? 'MQIsdp' : 'MQTT';
    const connect = { ...CONNECT, protocolId, protocolVersion: version };
    client.send({ ...connect, clientId: 'elder', clean: false });
    const [connack, ...others] = client.packets();
    expect(connack).toMatchObject({ cmd: 'connack', sessionPresent: version === 4 });
    expect(encoded(connack!, version)).toHaveLength(4);
    expect(others).toMatchObject([{ cmd: 'publish', dup: false }]);
  },
);

test('half a packet is waited for as long as the Keep Alive allows, byte by byte', async () => {
  const world = await BrokerWorld.start();
  const watcher = world.connect('watcher');
  watcher.subscribe('t');
  const client = world.open(4);
  client.send(CONNECT);
  client.take('connack');
  const publish = encoded({ cmd: 'publish', topic: 't', payload: 'slow', qos: 0 }, 4);
  for (const byte of publish) {
    client.events.receive(Uint8Array.of(byte));
    // A modem that pauses for a minute and more in the middle of a packet.
    world.advance(80_000);
    expect(client.isClosed).toBe(false);
  }
  expect(watcher.payloads()).toEqual(['slow']);
  client.events.receive(publish.subarray(0, 3));
  world.advance(89_000);
  expect(client.isClosed).toBe(false);
  world.advance(2000);
  expect(client.isClosed).toBe(true);
  const gone = world.log.find(
    ({ event, client: who }) => event === 'disconnected' && who === 'mcu',
  );
  expect(gone!.sentence).toMatch(/one and a half times the Keep Alive, in the middle of a packet$/);
});

test('half a CONNECT is waited for ten seconds, however its bytes come', async () => {
  const world = await BrokerWorld.start();
  const client = world.open(4);
  const connect = encoded(CONNECT, 4);
  for (let i = 0; i < 9; i++) {
    client.events.receive(connect.subarray(i, i + 1));
    world.advance(1000);
  }
  expect(client.isClosed).toBe(false);
  world.advance(1500);
  expect(client.isClosed).toBe(true);
  expect(client.packets()).toEqual([]);
});
