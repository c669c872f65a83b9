import { describe, expect, test } from 'vitest';
import type { DeviceOptions } from '../../../src/broker/devices/device-options.js';
import type { WriteRelease } from '../../../src/session/network-connection.js';
import { BrokerWorld } from '../broker-world.js';
import { decoded } from '../packets.js';

const STEP_MS = 50;
const PAYLOAD_BYTES = 200;
/** 9600 baud. */
const SERIAL_BYTES_PER_SECOND = 960;
/** The least that is left to the system, and what goes beyond it in one write. */
const SLOW_BYTES_MAX = 2048 + 600;

/** A client behind a link of this rate, before which the system takes whatever it is given. */
async function withSlowReader(bytesPerSecond: number, devices: Partial<DeviceOptions> = {}) {
  const state = { queuedBytes: 0, queuedBytesMax: 0, bytesPerSecond, looks: 0, isTold: true };
  const world = await BrokerWorld.start({
    devices,
    kernelQueues: (addresses) => {
      state.looks++;
      const { queuedBytes } = state;
      if (!state.isTold) return new Map();
      return new Map([...addresses].map((address) => [address, { queuedBytes, resendMs: 300 }]));
    },
  });
  const client = world.open(4, '198.51.100.7');
  const write = client.write.bind(client);
  client.write = (parts: readonly Uint8Array[], release: WriteRelease): void => {
    for (const part of parts) state.queuedBytes += part.length;
    write(parts, release);
  };
  const identity = { protocolId: 'MQTT', protocolVersion: 4, clientId: 'device' };
  client.send({ cmd: 'connect', clean: true, keepalive: 0, ...identity });
  client.take('connack');
  client.subscribe('t', { qos: 1 });
  const publisher = world.connect('publisher');
  let published = 0;
  const publish = (qos: 0 | 1 = 0): void => {
    const payload = `${++published}`.padEnd(PAYLOAD_BYTES);
    publisher.publish('t', payload, { qos, ...(qos > 0 ? { messageId: published } : {}) });
  };
  /** Time passes, `each` at every step of it; the most that waits in the system meanwhile. */
  const pass = (ms: number, each: (step: number) => void = () => {}): number => {
    let most = 0;
    for (let step = 0; step < ms / STEP_MS; step++) {
      each(step);
      most = Math.max(most, state.queuedBytes);
      const taken = (state.bytesPerSecond * STEP_MS) / 1000;
      state.queuedBytes = Math.max(0, state.queuedBytes - taken);
      world.advance(STEP_MS);
    }
    return most;
  };
  const numbers = (): number[] => client.payloads().map(Number);
  return { world, client, state, publish, pass, numbers, published: () => published };
}

function ascending(numbers: readonly number[]): boolean {
  return numbers.every((number, i) => i === 0 || number > numbers[i - 1]!);
}

describe('more QoS 0 than the link takes', () => {
  test('waits in the broker and not in the system, so that an answer is next', async () => {
    const { world, client, state, publish, pass, numbers } =
      await withSlowReader(SERIAL_BYTES_PER_SECOND);
    // Half as much again as the link takes.
    const flow = (step: number): void => {
      if (step % 3 === 0) publish();
    };
    pass(40_000, flow);
    expect(pass(60_000, flow)).toBeLessThan(SLOW_BYTES_MAX);
    const waitsBytes = state.queuedBytes;
    const received = numbers();
    client.send({ cmd: 'pingreq' });
    expect(client.packets()).toMatchObject([{ cmd: 'pingresp' }]);
    expect(state.queuedBytes).toBe(waitsBytes + 2);
    // The link is used all the time nevertheless, and what it got is in order.
    const linkBytes = (SERIAL_BYTES_PER_SECOND * 100_000) / 1000;
    expect(received.length * PAYLOAD_BYTES).toBeGreaterThan(0.8 * linkBytes);
    expect(ascending(received)).toBe(true);
    expect(world.broker.statistics.stalls).toBe(0);
  });

  test('is told once a connection, counted and known of the device', async () => {
    const { world, publish, pass } = await withSlowReader(SERIAL_BYTES_PER_SECOND);
    pass(60_000, (step) => {
      if (step % 3 === 0) publish();
    });
    const told = world.log.filter(({ event }) => event === 'slow_link');
    expect(told).toMatchObject([{ level: 'info', client: 'device' }]);
    const rate = Number(told[0]!['bytesPerSecond']);
    expect(rate).toBeGreaterThan(0.8 * SERIAL_BYTES_PER_SECOND);
    expect(rate).toBeLessThan(1.2 * SERIAL_BYTES_PER_SECOND);
    expect(world.broker.statistics.slowLinks).toBe(1);
    const [health] = world.broker.devices.health().filter((d) => d.clientIdentifier === 'device');
    expect(health).toMatchObject({ slowLinks: 1, stalls: 0, score: 95 });
    expect(health!.sentence).toBe('its link was slower than what it is sent');
  });

  test('is dropped and counted beyond what may wait', async () => {
    const { world, publish, pass, numbers } = await withSlowReader(SERIAL_BYTES_PER_SECOND);
    pass(120_000, () => publish());
    expect(world.broker.statistics.dropped.outbox_full).toBeGreaterThan(100);
    expect(ascending(numbers())).toBe(true);
  });

  test('all arrives when the link is fast again', async () => {
    const { world, state, publish, pass, numbers, published } =
      await withSlowReader(SERIAL_BYTES_PER_SECOND);
    pass(60_000, (step) => {
      if (step % 3 === 0) publish();
    });
    expect(numbers().length).toBeLessThan(published());
    state.bytesPerSecond = 1e6;
    pass(60_000);
    pass(20_000, () => {
      for (let i = 0; i < 20; i++) publish();
    });
    const { outbox_full } = world.broker.statistics.dropped;
    expect(outbox_full).toBe(0);
    // With no limit any more, once there was more than it: a burst leaves at once.
    const burst = (step: number): void => {
      for (let i = 0; i < 100 && step % 20 === 0; i++) publish();
    };
    pass(10_000, burst);
    const before = state.queuedBytes;
    for (let i = 0; i < 100; i++) publish();
    expect(state.queuedBytes - before).toBeGreaterThan(100 * PAYLOAD_BYTES);
  });

  test('arrives when the link is fast again, though nothing else is sent', async () => {
    for (let flowMs = 40_000; flowMs < 48_000; flowMs += 450) {
      const { state, publish, pass, numbers, published } =
        await withSlowReader(SERIAL_BYTES_PER_SECOND);
      pass(flowMs, (step) => {
        if (step % 3 === 0) publish();
      });
      const before = numbers().length;
      expect(before).toBeLessThan(published());
      state.bytesPerSecond = 1e6;
      pass(60_000);
      expect(before + numbers().length).toBe(published());
    }
  });

  test('arrives where the system tells nothing of the connection any more', async () => {
    const { state, publish, pass, numbers, published } =
      await withSlowReader(SERIAL_BYTES_PER_SECOND);
    const flow = (step: number): void => {
      if (step % 3 === 0) publish();
    };
    pass(40_000, flow);
    const before = numbers().length;
    expect(before).toBeLessThan(published());
    state.isTold = false;
    pass(5000, flow);
    expect(before + numbers().length).toBe(published());
  });

  test('is held back again when the link is slow once more', async () => {
    const { state, publish, pass } = await withSlowReader(SERIAL_BYTES_PER_SECOND);
    const flow = (step: number): void => {
      if (step % 3 === 0) publish();
    };
    pass(40_000, flow);
    state.bytesPerSecond = 1e6;
    pass(40_000, (step) => {
      for (let i = 0; i < 400 && step % 40 === 0; i++) publish();
    });
    expect(pass(1000, flow)).toBeLessThan(10_000);
    for (let i = 0; i < 100; i++) publish();
    expect(state.queuedBytes).toBeGreaterThan(100 * PAYLOAD_BYTES);
    pass(10_000);
    state.bytesPerSecond = SERIAL_BYTES_PER_SECOND;
    pass(120_000, flow);
    expect(pass(20_000, flow)).toBeLessThan(SLOW_BYTES_MAX);
  });

  test('goes to the system as ever where a rule says so', async () => {
    const devices = { rules: [{ match: { client: 'dev*' }, stalledReaders: false }] };
    const { state, publish, pass } = await withSlowReader(SERIAL_BYTES_PER_SECOND, devices);
    const most = pass(60_000, (step) => {
      if (step % 3 === 0) publish();
    });
    expect(most).toBeGreaterThan(20_000);
    expect(state.looks).toBe(0);
  });
});

test('QoS 1 over a slow link: everything arrives, once and in order', async () => {
  const { client, publish, pass } = await withSlowReader(SERIAL_BYTES_PER_SECOND);
  const received: number[] = [];
  const acknowledge = (): void => {
    for (const packet of client.packets()) {
      const { cmd, payload, messageId } = packet as Record<string, unknown>;
      if (cmd !== 'publish') continue;
      received.push(Number(String(payload)));
      client.send({ cmd: 'puback', messageId });
    }
  };
  pass(30_000, (step) => {
    if (step % 2 === 0) publish(1);
    acknowledge();
  });
  pass(60_000, acknowledge);
  expect(received).toEqual(Array.from({ length: 300 }, (_, i) => i + 1));
});

test('whoever takes one packet at a time goes on doing so on a slow link', async () => {
  const rules = [{ match: { client: 'dev*' }, onePacketPerWrite: true }];
  const { client, publish, pass, numbers } = await withSlowReader(SERIAL_BYTES_PER_SECOND, {
    rules,
  });
  const write = client.write.bind(client);
  const packetsOfWrites = new Set<number>();
  client.write = (parts: readonly Uint8Array[], release: WriteRelease): void => {
    packetsOfWrites.add(decoded(Buffer.concat(parts), 4).length);
    write(parts, release);
  };
  pass(60_000, (step) => {
    if (step % 3 === 0) for (let i = 0; i < 3; i++) publish();
  });
  expect([...packetsOfWrites]).toEqual([1]);
  expect(numbers().length).toBeGreaterThan(100);
});

test('a link that takes a burst within a second is not slow', async () => {
  const { state, publish, pass, numbers } = await withSlowReader(40_000);
  for (let round = 0; round < 20; round++) {
    for (let i = 0; i < 80; i++) publish();
    pass(1000);
  }
  expect(numbers()).toHaveLength(1600);
  expect(state.looks).toBeLessThan(200);
});

test('nor is one with a long round trip that goes on', async () => {
  const { publish, pass, numbers } = await withSlowReader(20_000);
  let most = 0;
  for (let second = 0; second < 30; second++) {
    most = Math.max(
      most,
      pass(1000, () => {
        for (let i = 0; i < 4; i++) publish();
      }),
    );
  }
  expect(numbers()).toHaveLength(30 * 20 * 4);
  expect(most).toBeLessThan(10_000);
});
