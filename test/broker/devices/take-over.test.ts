import { expect, test } from 'vitest';
import { TakeOverGuard } from '../../../src/broker/devices/take-over-guard.js';
import { BrokerWorld } from '../broker-world.js';
import type { TestClient } from '../test-client.js';

test('the first two take-overs within five seconds pass, then eight a second at most', () => {
  const guard = new TakeOverGuard();
  expect(guard.judge('c', 0)).toEqual({ holdMs: 0, isDetected: false });
  expect(guard.judge('c', 10)).toEqual({ holdMs: 0, isDetected: false });
  expect(guard.judge('c', 20)).toEqual({ holdMs: 150, isDetected: true });
  let nowMs = 170;
  let count = 0;
  while (nowMs < 10_170) {
    nowMs += guard.judge('c', nowMs).holdMs!;
    count++;
  }
  expect(count / 10).toBeLessThan(8);
  expect(guard.isDamped('c', nowMs)).toBe(true);
  expect(guard.judge('c', nowMs + 20_000)).toEqual({ holdMs: 0, isDetected: false });
  expect(guard.judge('d', nowMs)).toEqual({ holdMs: 0, isDetected: false });
});

test('those who wait at once are bounded', () => {
  const guard = new TakeOverGuard();
  const holds = Array.from({ length: 12 }, () => guard.judge('c', 0).holdMs);
  expect(Math.max(...holds.map((hold) => hold ?? 0))).toBeLessThanOrEqual(1000);
  expect(holds.at(-1)).toBeUndefined();
});

test('two boards with one identifier: slowed, named, their wills held back', async () => {
  const world = await BrokerWorld.start();
  const bystander = world.connect('bystander');
  bystander.subscribe('will');
  const will = { topic: 'will', payload: Buffer.from('gone'), qos: 0, retain: false };
  const board = (host: string): TestClient => {
    const client = world.open(4, host);
    const fields = { clientId: 'twin', clean: true, keepalive: 0, will, protocolVersion: 4 };
    client.send({ cmd: 'connect', protocolId: 'MQTT', ...fields });
    return client;
  };
  const hosts = ['192.0.2.7', '192.0.2.8'];
  const boards = hosts.map(board);
  const from = world.broker.statistics.takeOvers;
  for (let ms = 0; ms < 5000; ms += 10) {
    boards.forEach((client, i) => {
      if (client.isClosed) boards[i] = board(hosts[i]!);
    });
    world.advance(10);
  }
  const takeOvers = world.broker.statistics.takeOvers - from;
  expect(takeOvers).toBeGreaterThan(10);
  expect(takeOvers).toBeLessThanOrEqual(50);
  expect(bystander.payloads().length).toBeLessThanOrEqual(2);
  const lines = world.log.filter(({ event }) => event === 'identifier_ping_pong');
  expect(lines).toHaveLength(1);
  expect(lines[0]!.sentence).toContain('192.0.2.7:50000');
  expect(lines[0]!.sentence).toContain('192.0.2.8:50000');
  for (const client of boards) client.drop();
  world.advance(1000);
  expect(bystander.payloads()).toEqual(['gone']);
});

test('who comes later is let in later, also when the one that all wait for is gone', async () => {
  const world = await BrokerWorld.start();
  const fields = { clientId: 'twin', keepalive: 0, protocolId: 'MQTT', protocolVersion: 4 };
  const come = (clean: boolean): TestClient => {
    const client = world.open(4);
    client.send({ cmd: 'connect', ...fields, clean });
    return client;
  };
  for (let i = 0; i < 4; i++) come(false);
  world.advance(2000);
  const current = come(false);
  expect(current.take('connack')).toMatchObject({ returnCode: 0 });
  // This one begins anew, and has to wait; meanwhile the current one goes.
  const anew = come(true);
  expect(anew.packets()).toEqual([]);
  current.drop();
  // The same client again, with a session to keep: the one before must not discard it any more.
  const last = come(false);
  world.advance(2000);
  expect(anew.isClosed).toBe(true);
  expect(last.take('connack')).toMatchObject({ returnCode: 0 });
  last.subscribe('t', { qos: 1 });
  last.drop();
  world.advance(20_000);
  expect(come(false).take('connack')).toMatchObject({ sessionPresent: true });
});
