import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Buckets } from '../../../src/extensions/rate-limit/buckets.js';
import { RateLimits } from '../../../src/extensions/rate-limit/rate-limits.js';
import { TokenBucket } from '../../../src/extensions/rate-limit/token-bucket.js';
import type { Rate, Rates } from '../../../src/session/rates.js';
import { BrokerWorld } from '../../broker/broker-world.js';
import { recordingLogger } from '../../broker/recording-logger.js';

const none: Rate = { connections: undefined, messages: undefined, bytes: undefined };

function rates(more: Partial<Rates>): Rates {
  return {
    client: none,
    user: none,
    address: none,
    listener: none,
    burstSeconds: 1,
    onExcess: 'slow',
    scope: '',
    ...more,
  };
}

async function worldWith(more: Partial<Rates>): Promise<BrokerWorld> {
  const world = await BrokerWorld.start({ policy: { rates: rates(more) } });
  world.broker.countRates(
    new RateLimits({
      clock: world.time,
      timers: world.time.timers,
      statistics: world.broker.statistics,
      log: recordingLogger(world.log),
    }),
  );
  return world;
}

describe('a token bucket', () => {
  test('never gives more than the burst and what the time has brought', () => {
    const steps = fc.array(
      fc.record({ ms: fc.nat(5000), tokens: fc.integer({ min: 1, max: 50 }) }),
    );
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1000 }), steps, (perSecond, taken) => {
        const bucket = new TokenBucket(perSecond, 1, 0);
        let nowMs = 0;
        let total = 0;
        for (const { ms, tokens } of taken) {
          nowMs += ms;
          nowMs += bucket.take(tokens, nowMs);
          total += tokens;
          expect(total).toBeLessThanOrEqual(perSecond + (nowMs * perSecond) / 1000 + 1e-6);
        }
      }),
    );
  });
});

test('buckets are bounded: those that nobody uses go first', () => {
  const buckets = new Buckets(10);
  const rate = { ...none, messages: 1 };
  const busy = buckets.get('busy', 'messages', rate, 1, 0)!;
  for (let i = 0; i < 9; i++) buckets.get(`idle ${i}`, 'messages', rate, 1, 0);
  busy.take(100, 0);
  buckets.get('one more', 'messages', rate, 1, 0);
  expect(buckets.size).toBe(2);
  expect(buckets.get('busy', 'messages', rate, 1, 0)).toBe(busy);
  for (let i = 0; i < 1000; i++) buckets.get(`flood ${i}`, 'messages', rate, 1, 1)!.take(2, 1);
  expect(buckets.size).toBe(10);
});

describe('messages a second', () => {
  const tenMessages = { ...none, messages: 10 };

  test('beyond the rate wait in the socket, and all arrive in the end', async () => {
    const world = await worldWith({ client: tenMessages });
    const listener = world.connect('listener');
    listener.subscribe('#');
    const device = world.connect('device');
    device.send(...Array.from({ length: 40 }, (_, i) => device.publishPacket('a', `${i}`)));
    expect(listener.payloads()).toHaveLength(11);
    expect(device.isPaused).toBe(true);
    world.advance(1000);
    expect(listener.payloads()).toHaveLength(10);
    world.advance(2000);
    expect(listener.payloads()).toHaveLength(19);
    expect(device.isPaused).toBe(false);
    expect(world.broker.statistics.rateWaits).toBe(30);
    expect(world.log.filter(({ event }) => event === 'rate_exceeded')).toMatchObject([
      { kind: 'client', name: 'device', what: 'messages', action: 'slowed', count: 1 },
    ]);
  });

  test('of one user are counted together, of others not', async () => {
    const world = await worldWith({ user: tenMessages });
    const password = Buffer.from('x');
    const one = world.connect('one', { username: 'alice', password });
    const two = world.connect('two', { username: 'alice', password });
    const other = world.connect('other', { username: 'bob', password });
    for (let i = 0; i < 6; i++) {
      one.publish('a', 'x');
      two.publish('a', 'x');
      other.publish('a', 'x');
    }
    expect(one.isPaused || two.isPaused).toBe(true);
    expect(other.isPaused).toBe(false);
  });

  test.each([
    [5, 'messages', 0x96],
    [5, 'bytes', 0x97],
  ] as const)('version %d, %s: disconnected by choice with %d', async (version, what, code) => {
    const world = await worldWith({ client: { ...none, [what]: 20 }, onExcess: 'disconnect' });
    const device = world.connect('device', {}, version);
    device.send(...Array.from({ length: 30 }, () => device.publishPacket('a', 'x')));
    expect(device.take('disconnect')['reasonCode']).toBe(code);
    expect(world.broker.statistics.rateExceeded).toBe(1);
  });
});

test('bytes a second hold back the connection that sent them', async () => {
  const world = await worldWith({ address: { ...none, bytes: 1000 } });
  const device = world.connect('device');
  device.publish('a', 'x'.repeat(3000));
  expect(device.isPaused).toBe(true);
  world.advance(1900);
  expect(device.isPaused).toBe(true);
  world.advance(300);
  expect(device.isPaused).toBe(false);
});

describe('connections a second', () => {
  test('from one address are refused with 0x9F, in 3.1.1 with 3, and let in later', async () => {
    const world = await worldWith({ address: { ...none, connections: 2 } });
    world.connect('a');
    world.connect('b');
    expect(world.connecting('c').take('connack')['reasonCode']).toBe(0x9f);
    expect(world.connecting('d', {}, 4).take('connack')['returnCode']).toBe(3);
    world.advance(500);
    world.connect('c');
    expect(world.log.filter(({ event }) => event === 'rate_exceeded')).toHaveLength(1);
    expect(world.log.filter(({ event }) => event === 'refused')).toHaveLength(0);
  });

  test('of one client that connects again and again', async () => {
    const world = await worldWith({ client: { ...none, connections: 1 } });
    world.connect('flapping').drop();
    expect(world.connecting('flapping').take('connack')['reasonCode']).toBe(0x9f);
    world.connect('other');
  });
});

test('a connection that is gone leaves no timer behind', async () => {
  const world = await worldWith({ client: { ...none, messages: 1 } });
  const device = world.connect('device');
  device.send(...Array.from({ length: 5 }, () => device.publishPacket('a', 'x')));
  device.drop();
  world.advance(10_000);
  expect(world.broker.connections).toBe(0);
});
