import { describe, expect, test } from 'vitest';
import { BufferPool, SMALL_BUFFER_BYTES } from '../../src/session/buffer-pool.js';
import { Outbox } from '../../src/session/outbox.js';
import { ApplicationMessage, NEVER_EXPIRES } from '../../src/wire/application-message.js';
import { PublishFrame } from '../../src/wire/publish-frame.js';
import { decoded } from '../broker/packets.js';
import { TestTime } from '../broker/test-time.js';
import { FakeNetwork } from './fake-network.js';

class CountingPool extends BufferPool {
  taken = 0;
  given = 0;

  override take(bytes: number): Uint8Array {
    this.taken++;
    return super.take(bytes);
  }

  override release(buffer: Uint8Array): void {
    this.given++;
    super.release(buffer);
  }
}

function newOutbox(bytesMax = 1_000_000) {
  const network = new FakeNetwork();
  const time = new TestTime();
  const pool = new CountingPool();
  const told = { roomAgain: 0 };
  const drained = (): void => {
    told.roomAgain++;
  };
  const outbox = new Outbox(network, time, pool, bytesMax, { drained, sent() {}, sentHeld() {} });
  /** All that is written while the network gives everything away again and again. */
  const takeAll = (): Buffer => {
    const taken = [network.take()];
    while (network.unsentBytes > 0) {
      network.release();
      outbox.drained();
      time.run();
      taken.push(network.take());
    }
    return Buffer.concat(taken);
  };
  return { network, time, pool, told, outbox, takeAll };
}

function frameOf(payload: Uint8Array): PublishFrame {
  const topic = Uint8Array.from([0x74]);
  const none = new Uint8Array(0);
  const frame = new PublishFrame();
  frame.fromMessage(
    new ApplicationMessage('t', topic, payload, none, 1, false, NEVER_EXPIRES, 'p'),
    0,
  );
  return frame;
}

describe('one write a tick', () => {
  test('with all that was appended, in order', () => {
    const { network, time, outbox } = newOutbox();
    outbox.append(Uint8Array.of(1, 2));
    const at = outbox.reserve(2);
    outbox.target.set([3, 4], at);
    outbox.append(new Uint8Array(2000).fill(5));
    outbox.append(Uint8Array.of(6));
    expect(network.writes).toEqual([]);
    time.run();
    expect(network.writes).toHaveLength(1);
    const bytes = network.take();
    expect([...bytes.subarray(0, 5)]).toEqual([1, 2, 3, 4, 5]);
    expect(bytes).toHaveLength(2005);
    expect(bytes[2004]).toBe(6);
    network.release();
    outbox.append(Uint8Array.of(7));
    time.run();
    expect([...network.take()]).toEqual([7]);
  });

  test('nothing appended is nothing written', () => {
    const { network, time, outbox } = newOutbox();
    outbox.share(new Uint8Array(0));
    outbox.endOfTick();
    time.run();
    expect(network.writes).toEqual([]);
  });

  test('more than a buffer goes on in larger ones, whole packets in each', () => {
    const { network, time, pool, outbox, takeAll } = newOutbox();
    const wanted: number[] = [];
    for (let i = 0; i < 500; i++) {
      const bytes = new Uint8Array(i % 2 === 0 ? 700 : 1000).fill(i);
      wanted.push(...bytes);
      outbox.append(bytes);
    }
    const at = outbox.reserve(70_000);
    outbox.target.set(new Uint8Array(70_000).fill(9), at);
    wanted.push(...new Uint8Array(70_000).fill(9));
    time.run();
    expect(network.writes).toHaveLength(1);
    expect(takeAll().equals(Buffer.from(wanted))).toBe(true);
    expect(pool.given).toBeGreaterThan(5);
    expect(pool.given).toBe(pool.taken);
  });

  test('a burst that fits in one buffer is one part', () => {
    const { network, time, pool, outbox } = newOutbox();
    const packets = Array.from({ length: 60 }, (_, i) => new Uint8Array(1000).fill(i));
    for (const packet of packets) outbox.append(packet);
    time.run();
    expect(network.writes[0]).toHaveLength(1);
    expect(network.take().equals(Buffer.concat(packets))).toBe(true);
    network.release();
    expect(pool.given).toBe(pool.taken);
  });

  test('a burst leaves in pieces where the network takes it, and all that is left at the end', () => {
    const { network, time, pool, outbox } = newOutbox();
    Object.assign(network, { takesBursts: true, takesAll: true });
    const packets = Array.from({ length: 300 }, (_, i) => new Uint8Array(1000).fill(i));
    for (const packet of packets) outbox.append(packet);
    expect(network.writes.length).toBe(4);
    time.run();
    expect(network.writes.length).toBe(5);
    expect(network.take().equals(Buffer.concat(packets))).toBe(true);
    network.release();
    expect(pool.given).toBe(pool.taken);
  });

  test('of a burst the network gets one piece more than it takes', () => {
    const { network, time, pool, outbox, told, takeAll } = newOutbox(100_000);
    Object.assign(network, { takesBursts: true });
    const packets = Array.from({ length: 300 }, (_, i) => new Uint8Array(1000).fill(i));
    for (const packet of packets) outbox.append(packet);
    expect(outbox.hasRoom).toBe(false);
    time.run();
    expect(network.writes.length).toBe(1);
    expect(network.unsentBytes).toBe(65_000);
    expect(outbox.hasRoom).toBe(false);
    expect(takeAll().equals(Buffer.concat(packets))).toBe(true);
    expect(pool.given).toBe(pool.taken);
    expect(told.roomAgain).toBe(0);
    outbox.append(Uint8Array.of(1));
    network.takesAll = true;
    time.run();
    expect(told.roomAgain).toBe(1);
  });

  test('shared bytes among small ones, over several buffers', () => {
    const { time, pool, outbox, takeAll } = newOutbox();
    const wanted: Uint8Array[] = [];
    for (let i = 0; i < 400; i++) {
      const small = new Uint8Array(1 + (i % 300)).fill(i);
      const large = new Uint8Array(1025 + i).fill(i + 1);
      wanted.push(small, large);
      outbox.append(small);
      outbox.append(large);
    }
    time.run();
    expect(takeAll().equals(Buffer.concat(wanted))).toBe(true);
    expect(pool.given).toBe(pool.taken);
  });

  test('a buffer that is exactly full', () => {
    const { network, time, outbox } = newOutbox();
    for (let i = 0; i < 4; i++) outbox.append(new Uint8Array(SMALL_BUFFER_BYTES / 4).fill(i));
    outbox.append(Uint8Array.of(99));
    time.run();
    const bytes = network.take();
    expect(bytes).toHaveLength(SMALL_BUFFER_BYTES + 1);
    expect(bytes[SMALL_BUFFER_BYTES]).toBe(99);
    expect(bytes[SMALL_BUFFER_BYTES - 1]).toBe(3);
  });
});

describe('buffers', () => {
  test('go back to the pool when their write has left, and not before', () => {
    const { network, time, pool, outbox } = newOutbox();
    outbox.append(Uint8Array.of(1));
    time.run();
    outbox.appendAnswer(Uint8Array.of(2));
    time.run();
    expect(pool).toMatchObject({ taken: 2, given: 0 });
    expect([...network.take()]).toEqual([1, 2]);
    network.release();
    expect(pool).toMatchObject({ taken: 2, given: 2 });
    outbox.append(Uint8Array.of(3));
    time.run();
    expect([...network.take()]).toEqual([3]);
  });

  test('are used again at once where a write leaves within its call', () => {
    const { network, time, pool, outbox } = newOutbox();
    const seen: number[] = [];
    network.write = (parts, release) => {
      for (const part of parts) seen.push(...part);
      release.written(parts);
    };
    for (let i = 0; i < 5; i++) {
      outbox.append(Uint8Array.of(i));
      if (i === 3) outbox.share(Uint8Array.of(33));
      time.run();
    }
    expect(seen).toEqual([0, 1, 2, 3, 33, 4]);
    expect(pool).toMatchObject({ taken: 5, given: 5 });
  });

  test('of what was never written go back at the close', () => {
    const { network, time, pool, outbox } = newOutbox();
    outbox.append(Uint8Array.of(1));
    outbox.close();
    outbox.append(Uint8Array.of(2));
    outbox.share(new Uint8Array(3000));
    time.run();
    expect(network.writes).toEqual([]);
    expect(pool).toMatchObject({ taken: 1, given: 1 });
  });

  test('a release behind the close gives back each one once', () => {
    const { network, time, pool, outbox } = newOutbox();
    outbox.append(Uint8Array.of(1));
    time.run();
    outbox.close();
    network.release();
    outbox.written([]);
    expect(pool).toMatchObject({ taken: 1, given: 1 });
  });
});

describe('buffers of a write that can never leave', () => {
  test('go back without those of writes before it, which are still on their way', () => {
    const { network, time, pool, outbox } = newOutbox();
    const writes = [1, 2, 3].map((fill) => {
      outbox.appendAnswer(new Uint8Array(8).fill(fill));
      time.run();
      return network.writes.at(-1)![0]!;
    });
    const isGiven = (part: Uint8Array): boolean => {
      const buffer = pool.take(1);
      pool.release(buffer);
      return buffer.buffer === part.buffer;
    };
    // The client has closed its half, so the last ones are given up at once.
    network.releaseLast();
    expect(writes.map(isGiven)).toEqual([false, false, true]);
    network.releaseLast();
    expect(writes.map(isGiven)).toEqual([false, true, false]);
    outbox.appendAnswer(new Uint8Array(8).fill(4));
    time.run();
    expect(writes[0]![0]).toBe(1);
    network.release();
    // Each of the three is there once.
    expect(new Set([pool.take(1), pool.take(1), pool.take(1)]).size).toBe(3);
    expect(pool.given - pool.taken).toBe(-3);
  });
});

test('what waits for a network that was full before its first write leaves when it has room', () => {
  const { time, outbox } = newOutbox();
  outbox.append(new Uint8Array(70_000).fill(1));
  outbox.append(new Uint8Array(70_000).fill(2));
  const slow = new FakeNetwork();
  slow.unsentBytes = 1;
  outbox.leaveThrough(slow);
  time.run();
  expect(slow.take()).toHaveLength(0);
  slow.unsentBytes = 0;
  outbox.drained();
  time.run();
  const written = [slow.take()];
  slow.release();
  outbox.drained();
  time.run();
  written.push(slow.take());
  expect(Buffer.concat(written)).toHaveLength(140_000);
});

describe('room', () => {
  test('counts what waits here and in the socket', () => {
    const { network, time, outbox } = newOutbox(100);
    outbox.append(new Uint8Array(99));
    expect(outbox.hasRoom).toBe(true);
    outbox.append(new Uint8Array(1));
    expect(outbox.hasRoom).toBe(false);
    time.run();
    expect(network.unsentBytes).toBe(100);
    expect(outbox.hasRoom).toBe(false);
    network.release();
    expect(outbox.hasRoom).toBe(true);
  });

  test('is told when a flush alone has made it', () => {
    const { network, time, told, outbox } = newOutbox(100);
    network.write = () => {};
    outbox.append(new Uint8Array(100));
    time.run();
    // Nobody asked, so nobody waits.
    expect(told.roomAgain).toBe(0);
    outbox.append(new Uint8Array(100));
    expect(outbox.hasRoom).toBe(false);
    time.run();
    expect(told.roomAgain).toBe(1);
    outbox.append(new Uint8Array(1));
    time.run();
    expect(told.roomAgain).toBe(1);
  });
});

describe('appendPublish', () => {
  test.for([0, 1, 30, 41, 1024, 1025, 100_000])('a payload of %i bytes', (bytes) => {
    const { network, time, outbox } = newOutbox();
    network.takesAll = true;
    const payload = new Uint8Array(bytes).fill(7);
    const frame = frameOf(payload);
    for (const version of [4, 5] as const) {
      outbox.append(Uint8Array.of(0xd0, 0));
      outbox.appendPublish(frame, frame.template(version, true), 0x3b, 0xbeef);
      outbox.appendPublish(frame, frame.template(version, false), 0x31, 0);
      time.run();
      const parts = network.writes.flat();
      expect(parts.some((part) => part.buffer === payload.buffer)).toBe(bytes > 1024);
      const [ping, one, other] = decoded(network.take(), version);
      expect(ping).toMatchObject({ cmd: 'pingresp' });
      const common = { cmd: 'publish', topic: 't', retain: true };
      expect(one).toMatchObject({ ...common, qos: 1, dup: true, messageId: 0xbeef });
      expect(other).toMatchObject({ ...common, qos: 0, dup: false });
      for (const packet of [one!, other!]) {
        expect(Buffer.from(payload).equals(packet['payload'] as Buffer)).toBe(true);
      }
    }
  });

  test('nothing behind the close', () => {
    const { network, time, outbox } = newOutbox();
    outbox.close();
    const frame = frameOf(new Uint8Array(3));
    outbox.appendPublish(frame, frame.template(4, false), 0x30, 0);
    time.run();
    expect(network.writes).toEqual([]);
  });
});

test('QoS 0 waits up to 96 KiB behind a system that takes nothing more, other messages up to the limit', () => {
  const { network, time, outbox } = newOutbox();
  outbox.append(new Uint8Array(200 * 1024));
  expect(outbox.hasRoomForQoS0).toBe(true);
  time.run();
  expect(network.unsentBytes).toBe(200 * 1024);
  expect([outbox.hasRoomForQoS0, outbox.hasRoom]).toEqual([false, true]);
  network.release();
  expect(outbox.hasRoomForQoS0).toBe(true);
});
