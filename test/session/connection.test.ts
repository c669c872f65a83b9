import { describe, expect, test } from 'vitest';
import { ReasonCode } from '../../src/wire/reason-code.js';
import { BrokerWorld } from '../broker/broker-world.js';
import { encoded, type Fields } from '../broker/packets.js';
import { bytes } from '../wire/bytes.js';

function connectPacket(clientId: string, fields: Fields = {}): Fields {
  return { cmd: 'connect', protocolVersion: 5, clean: true, keepalive: 0, clientId, ...fields };
}

describe('before CONNACK', () => {
  test('what is pipelined behind CONNECT is answered behind CONNACK, in order', async () => {
    const world = await BrokerWorld.start();
    const a = world.open();
    a.send(connectPacket('a'), a.subscribePacket('t'), a.publishPacket('t', 'x', { qos: 1 }), {
      cmd: 'pingreq',
    });
    expect(a.brief()).toEqual(['connack', 'suback 256', 'publish x', 'puback 257', 'pingresp']);
  });

  test('also while a hook decides, in many pieces, and a DISCONNECT at the end', async () => {
    const world = await BrokerWorld.start();
    world.broker.hooks.authenticate.add(async () => ReasonCode.Success);
    const watcher = world.connecting('watcher');
    await world.settle();
    watcher.take('connack');
    watcher.subscribe('t');
    const a = world.open();
    const packets = [connectPacket('a'), a.publishPacket('t', 'x', {}), { cmd: 'disconnect' }];
    const all = Buffer.concat(packets.map((packet) => encoded(packet, 5)));
    for (const byte of all) a.sendBytes(Uint8Array.of(byte));
    expect(a.brief()).toEqual([]);
    await world.settle();
    expect(a.brief()).toEqual(['connack']);
    expect(watcher.payloads()).toEqual(['x']);
    expect(a.closed).toEqual(['after-flush']);
  });

  test('a client that goes while a hook decides leaves nothing behind', async () => {
    const world = await BrokerWorld.start();
    world.broker.hooks.authenticate.add(async () => ReasonCode.Success);
    const a = world.connecting('a');
    a.drop();
    await world.settle();
    expect(world.broker.connections).toBe(0);
    expect(world.broker.sessions.count).toBe(0);
    expect(world.time.armed).toBe(0);
  });

  test('no whole CONNECT in time is the end, though bytes come', async () => {
    const world = await BrokerWorld.start({ limits: { connectSecondsMax: 10 } });
    const a = world.open();
    a.sendBytes(Uint8Array.of(0x10));
    world.advance(9900);
    a.sendBytes(Uint8Array.of(0x20));
    expect(a.isClosed).toBe(false);
    expect(world.broker.statistics.connectTimeouts).toBe(0);
    world.advance(200);
    expect(a.closed).toEqual(['now']);
    expect(world.broker.connections).toBe(0);
    expect(world.broker.statistics.connectTimeouts).toBe(1);
  });

  test('neither is a hook waited for longer', async () => {
    const world = await BrokerWorld.start({ limits: { connectSecondsMax: 10 } });
    let decide: (code: ReasonCode) => void = () => {};
    world.broker.hooks.authenticate.add(
      () =>
        new Promise((resolve) => {
          decide = resolve;
        }),
    );
    const a = world.connecting('a');
    world.advance(10_100);
    expect(a.isClosed).toBe(true);
    decide(ReasonCode.Success);
    await world.settle();
    expect(world.broker.sessions.count).toBe(0);
  });

  test('any other packet first, and bytes that are none, get no answer', async () => {
    const world = await BrokerWorld.start();
    for (const hex of [
      'c0 00',
      "30 03 00 01 't'",
      '00 00',
      'ff ff ff ff ff ff',
      '16 03 01 02 00',
    ]) {
      const a = world.open();
      a.sendBytes(bytes(hex));
      expect([a.isClosed, a.brief()]).toEqual([true, []]);
    }
    expect(world.broker.statistics.protocolViolations).toBe(5);
  });
});

describe('Keep Alive', () => {
  test.for([4, 5] as const)(
    'ends at one and a half times of it, not before (%i)',
    async (version) => {
      const world = await BrokerWorld.start();
      const a = world.connect('a', { keepalive: 10 }, version);
      world.advance(14_900);
      a.send({ cmd: 'pingreq' });
      world.advance(14_990);
      expect(a.isClosed).toBe(false);
      expect(a.brief()).toEqual(['pingresp']);
      world.advance(100);
      expect(a.closed).toEqual(['after-flush']);
      expect(a.brief()).toEqual(version === 5 ? ['disconnect 0x8d'] : []);
      expect(world.broker.statistics.keepAliveTimeouts).toBe(1);
    },
  );

  test('of 0 never ends it', async () => {
    const world = await BrokerWorld.start();
    const a = world.connect('a', { keepalive: 0 });
    world.advance(1e9);
    expect(a.isClosed).toBe(false);
    expect(world.time.armed).toBe(0);
  });

  test('counts what comes, not what goes', async () => {
    const world = await BrokerWorld.start();
    const a = world.connect('a', { keepalive: 10 });
    a.subscribe('t');
    const b = world.connect('b');
    for (let i = 0; i < 16; i++) {
      world.advance(1000);
      b.publish('t', '');
    }
    expect(a.isClosed).toBe(true);
  });

  test('is not held against a client that is not read', async () => {
    const world = await BrokerWorld.start();
    let decide: (code: ReasonCode) => void = () => {};
    world.broker.hooks.authorizePublish.add(
      () =>
        new Promise((resolve) => {
          decide = resolve;
        }),
    );
    const a = world.connect('a', { keepalive: 10 });
    a.publish('t', '', { qos: 1 });
    a.send({ cmd: 'pingreq' });
    world.advance(60_000);
    expect(a.isClosed).toBe(false);
    decide(ReasonCode.Success);
    await world.settle();
    expect(a.brief()).toEqual(['puback 256 0x10', 'pingresp']);
    world.advance(14_900);
    expect(a.isClosed).toBe(false);
    world.advance(1000);
    expect(a.isClosed).toBe(true);
  });
});

describe('violations', () => {
  test('a second CONNECT ends the connection, and the will is published', async () => {
    const world = await BrokerWorld.start();
    const watcher = world.connect('watcher');
    watcher.subscribe('w');
    const a = world.connect('a', { will: { topic: 'w', payload: 'gone', qos: 0 } });
    a.send(connectPacket('a'), { cmd: 'pingreq' });
    expect(a.brief()).toEqual(['disconnect 0x82']);
    expect(a.closed).toEqual(['after-flush']);
    expect(watcher.payloads()).toEqual(['gone']);
  });

  test('before 5.0 nothing is said', async () => {
    const world = await BrokerWorld.start();
    const a = world.connect('a', {}, 4);
    a.sendBytes(bytes("36 06 00 01 't' 00 01 00"));
    expect(a.brief()).toEqual([]);
    expect(a.isClosed).toBe(true);
  });

  test('the reason is told, unless the client does not want to know or has no room for it', async () => {
    const world = await BrokerWorld.start();
    const reasonOf = (properties: Fields): unknown => {
      const a = world.connect('a', { properties });
      a.send(connectPacket('a'));
      const disconnect = a.take('disconnect') as { properties?: { reasonString?: string } };
      expect(a.isClosed).toBe(true);
      return disconnect.properties?.reasonString;
    };
    expect(reasonOf({})).toContain('a second CONNECT');
    expect(reasonOf({ requestProblemInformation: true })).toContain('[MQTT-3.1.0-2]');
    expect(reasonOf({ requestProblemInformation: false })).toBeUndefined();
    expect(reasonOf({ maximumPacketSize: 100 })).toBeUndefined();
  });

  test('one that quotes a very long value is told without the quote', async () => {
    const world = await BrokerWorld.start();
    const a = world.connect('a');
    a.send(a.subscribePacket(`${'x'.repeat(65_520)}/#/b`));
    expect(a.brief()).toEqual(['disconnect 0x8f']);
    expect(a.isClosed).toBe(true);
  });

  test('what only a server sends', async () => {
    const world = await BrokerWorld.start();
    for (const hex of ['20 03 00 00 00', '90 04 00 01 00 00', 'b0 04 00 01 00 00', 'd0 00']) {
      const a = world.connect('a');
      a.sendBytes(bytes(hex));
      expect(a.take('disconnect')['reasonCode']).toBeGreaterThanOrEqual(0x80);
      expect(a.isClosed).toBe(true);
    }
  });

  test('nothing behind one is carried out', async () => {
    const world = await BrokerWorld.start();
    const watcher = world.connect('watcher');
    watcher.subscribe('#');
    const a = world.connect('a');
    a.send(a.publishPacket('t', 'before'), connectPacket('a'), a.publishPacket('t', 'behind'));
    a.sendBytes(encoded(a.publishPacket('t', 'later'), 5));
    expect(watcher.payloads()).toEqual(['before']);
  });
});

describe('ends', () => {
  test('each timer, buffer and session is given back', async () => {
    const world = await BrokerWorld.start();
    for (let i = 0; i < 5; i++) {
      const client = world.connect(`c${i}`, { keepalive: 10 });
      client.subscribe('t', { qos: 2 });
      client.publish('t', '', { qos: 2 });
      if (i % 2 === 0) client.drop();
      else client.disconnect();
    }
    expect(world.broker.connections).toBe(0);
    expect(world.broker.sessions.count).toBe(0);
    // What is kept of devices is written once a minute, for all of them.
    world.advance(60_000);
    expect(world.time.armed).toBe(0);
  });

  test('DISCONNECT with will publishes it, a normal one does not', async () => {
    const world = await BrokerWorld.start();
    const watcher = world.connect('watcher');
    watcher.subscribe('w');
    const will = { topic: 'w', payload: 'gone', qos: 0 };
    world.connect('a', { will }).disconnect();
    expect(watcher.payloads()).toEqual([]);
    world.connect('a', { will }).disconnect({ reasonCode: 4 });
    expect(watcher.payloads()).toEqual(['gone']);
    world.connect('a', { will }).drop();
    expect(watcher.payloads()).toEqual(['gone']);
  });

  test('DISCONNECT may shorten or lengthen the Session, but not begin one', async () => {
    const world = await BrokerWorld.start({ limits: { sessionExpirySecondsMax: 500 } });
    const expiring = (sessionExpiryInterval: number) => ({ properties: { sessionExpiryInterval } });
    world.connect('a', expiring(100)).disconnect(expiring(0));
    expect(world.broker.sessions.get('a')).toBeUndefined();
    world.connect('b', expiring(100)).disconnect(expiring(1e6));
    expect(world.broker.sessions.get('b')!.expirySeconds).toBe(500);
    const c = world.connect('c');
    c.send({ cmd: 'disconnect', ...expiring(10) });
    expect(c.brief()).toEqual(['disconnect 0x82']);
    expect(world.broker.sessions.get('c')).toBeUndefined();
  });

  test('shutdown tells everybody', async () => {
    const world = await BrokerWorld.start();
    const [a, b, c] = [world.connect('a'), world.connect('b', {}, 4), world.open()];
    world.broker.shutdown();
    expect(a.brief()).toEqual(['disconnect 0x8b']);
    expect(b.brief()).toEqual([]);
    for (const client of [a, b, c]) expect(client.isClosed).toBe(true);
    expect(world.broker.connections).toBe(0);
  });
});
