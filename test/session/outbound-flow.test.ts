import { describe, expect, test } from 'vitest';
import { unfinished } from '../../src/session/unfinished.js';
import { OutboundBench } from './outbound-bench.js';

function texts(from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, i) => `m${from + i}`);
}

/** Without Packet Identifier and DUP. */
function payloads(sent: readonly string[]): string[] {
  return sent.map((line) => line.replace(/^\d+ (dup )?/, ''));
}

describe('quota', () => {
  test('no more than the Receive Maximum is in flight, and each PUBACK lets one follow', async () => {
    const bench = await OutboundBench.start();
    bench.attach(3);
    bench.deliverMany(0, 5);
    expect(bench.receiver.take()).toEqual(['1 m0', '2 m1', '3 m2']);
    expect(bench.flow.inFlight).toBe(3);
    expect(bench.flow.waiting).toBe(2);
    bench.flow.acknowledged(2);
    bench.run();
    expect(bench.receiver.take()).toEqual(['4 m3']);
    bench.flow.acknowledged(1);
    bench.flow.acknowledged(3);
    bench.run();
    expect(bench.receiver.take()).toEqual(['5 m4']);
    await bench.expectConsistent();
  });

  test('QoS 2 holds its place until PUBCOMP', async () => {
    const bench = await OutboundBench.start({ isStored: false });
    bench.attach(1);
    bench.deliver('a', 2);
    bench.deliver('b', 2);
    bench.flow.received(1, false);
    expect(bench.receiver.take()).toEqual(['1 a', 'rel 1']);
    bench.flow.completed(1);
    expect(bench.receiver.take()).toEqual(['2 b']);
  });

  test('a failure in PUBREC ends the exchange and gives the place back', async () => {
    const bench = await OutboundBench.start();
    bench.attach(1);
    bench.deliver('a', 2);
    bench.deliver('b', 2);
    bench.run();
    bench.flow.received(1, true);
    bench.run();
    expect(bench.receiver.take()).toEqual(['1 a', '2 b']);
    await bench.expectConsistent();
  });

  test('acknowledgements that fit nothing change nothing', async () => {
    const bench = await OutboundBench.start();
    bench.attach(2);
    bench.deliver('a', 1);
    bench.deliver('b', 2);
    bench.deliver('c', 1);
    bench.run();
    bench.flow.acknowledged(7);
    bench.flow.acknowledged(2);
    bench.flow.completed(1);
    bench.flow.completed(2);
    expect(bench.flow.inFlight).toBe(2);
    bench.flow.received(1, true);
    bench.flow.received(9, true);
    expect(bench.receiver.take()).toEqual(['1 a', '2 b']);
    bench.flow.received(9, false);
    expect(bench.receiver.take()).toEqual(['rel 9 unknown']);
    expect(bench.flow.inFlight).toBe(2);
    expect(bench.flow.waiting).toBe(1);
  });

  test('a PUBCOMP for an exchange of an earlier connection makes no room above the maximum', async () => {
    const bench = await OutboundBench.start();
    bench.attach(2);
    bench.deliver('a', 2);
    bench.run();
    bench.flow.received(1, false);
    bench.run();
    bench.flow.detach();
    bench.attach(2);
    expect(bench.receiver.take()).toEqual(['rel 1']);
    bench.deliverMany(0, 4);
    // The exchange that waits for PUBCOMP has its place. [MQTT-3.3.4-9]
    expect(bench.receiver.take()).toEqual(['2 m0']);
    bench.flow.completed(1);
    bench.run();
    expect(bench.receiver.take()).toEqual(['3 m1']);
    bench.flow.acknowledged(2);
    bench.run();
    expect(bench.receiver.take()).toEqual(['4 m2']);
    await bench.expectConsistent();
  });

  test('nothing is sent while the socket is full, and pump goes on', async () => {
    const bench = await OutboundBench.start();
    bench.attach();
    bench.receiver.hasRoom = false;
    bench.deliverMany(0, 3);
    expect(bench.receiver.take()).toEqual([]);
    bench.receiver.hasRoom = true;
    bench.flow.pump();
    expect(bench.receiver.take()).toEqual(['1 m0', '2 m1', '3 m2']);
  });
});

describe('resending', () => {
  test('what was in flight comes again with DUP, its identifiers and its order, before the rest', async () => {
    const bench = await OutboundBench.start();
    bench.attach(4);
    bench.deliver('a', 1);
    bench.deliver('b', 2);
    bench.deliver('c', 1);
    bench.deliver('d', 2);
    bench.deliver('e', 1);
    bench.run();
    bench.flow.received(2, false);
    bench.flow.acknowledged(1);
    bench.run();
    expect(bench.receiver.take()).toEqual(['1 a', '2 b', '3 c', '4 d', 'rel 2', '5 e']);
    bench.flow.detach();
    bench.deliverMany(0, 2);
    bench.attach(10);
    expect(bench.receiver.take()).toEqual([
      'rel 2',
      '3 dup c',
      '4 dup d',
      '5 dup e',
      '6 m0',
      '7 m1',
    ]);
    expect(bench.statistics.retransmissions).toBe(3);
    await bench.expectConsistent();
  });

  test('a smaller Receive Maximum lets the resends come one after the other', async () => {
    const bench = await OutboundBench.start();
    bench.attach(5);
    bench.deliverMany(0, 5);
    bench.flow.detach();
    bench.attach(2);
    bench.deliverMany(5, 7);
    expect(bench.receiver.take()).toEqual(['1 dup m0', '2 dup m1']);
    for (const identifier of [2, 1, 3, 4, 5]) {
      bench.flow.acknowledged(identifier);
      bench.run();
    }
    expect(bench.receiver.take()).toEqual(['3 dup m2', '4 dup m3', '5 dup m4', '6 m5', '7 m6']);
    await bench.expectConsistent();
  });

  test('a second reconnect resends the same again', async () => {
    const bench = await OutboundBench.start();
    bench.attach(2);
    bench.deliverMany(0, 4);
    for (let i = 0; i < 3; i++) {
      bench.flow.detach();
      bench.attach(2);
      expect(bench.receiver.take()).toEqual(['1 dup m0', '2 dup m1']);
    }
    await bench.expectConsistent();
    bench.flow.acknowledged(1);
    bench.flow.acknowledged(2);
    bench.run();
    expect(payloads(bench.drain())).toEqual(['m2', 'm3']);
  });

  test('identifiers of exchanges that wait to be resent are not given to other messages', async () => {
    const bench = await OutboundBench.start();
    bench.attach(3);
    bench.deliverMany(0, 3);
    bench.flow.detach();
    bench.attach(1);
    bench.deliverMany(3, 6);
    const sent = bench.receiver.take();
    for (let i = 0; i < sent.length; i++) {
      bench.flow.acknowledged(Number.parseInt(sent[i]!, 10));
      bench.run();
      sent.push(...bench.receiver.take());
    }
    expect(sent).toEqual(['1 dup m0', '2 dup m1', '3 dup m2', '4 m3', '5 m4', '6 m5']);
  });
});

describe('commits', () => {
  test('a QoS 2 PUBLISH leaves when its records are durable, a QoS 1 PUBLISH at once', async () => {
    const bench = await OutboundBench.start({ holdsCommits: true });
    bench.attach();
    bench.deliver('a', 1);
    bench.deliver('b', 2);
    bench.deliver('c', 1);
    bench.run();
    // What is behind one that waits, waits too: order.
    expect(bench.receiver.take()).toEqual(['1 a']);
    bench.commit();
    expect(bench.receiver.take()).toEqual(['2 b', '3 c']);
  });

  test('PUBREL leaves when its record is durable, and once however often PUBREC comes', async () => {
    const bench = await OutboundBench.start({ holdsCommits: true });
    bench.attach();
    bench.deliver('a', 2);
    bench.commitAll();
    bench.receiver.take();
    bench.flow.received(1, false);
    bench.flow.received(1, false);
    bench.run();
    expect(bench.receiver.take()).toEqual([]);
    bench.commit();
    expect(bench.receiver.take()).toEqual(['rel 1']);
    bench.flow.received(1, false);
    expect(bench.receiver.take()).toEqual(['rel 1']);
  });

  test('a reconnect before the PUBREL record is durable does not send it early', async () => {
    const bench = await OutboundBench.start({ holdsCommits: true });
    bench.attach();
    bench.deliver('a', 2);
    bench.commitAll();
    bench.flow.received(1, false);
    bench.flow.detach();
    bench.attach();
    expect(bench.receiver.take()).toEqual([]);
    bench.commitAll();
    expect(bench.receiver.take()).toEqual(['rel 1']);
    bench.flow.completed(1);
    await bench.expectConsistent();
  });

  test('a hold of the publisher is kept by a queue and by a Session in memory', async () => {
    const bench = await OutboundBench.start({ isStored: false, holdsCommits: true });
    bench.attach(1);
    bench.deliver('a', 1, undefined, bench.store.openTicket);
    bench.deliver('b', 1, undefined, bench.store.openTicket);
    expect(bench.receiver.take()).toEqual([]);
    bench.commitAll();
    expect(bench.receiver.take()).toEqual(['1 a']);
    bench.flow.acknowledged(1);
    bench.commitAll();
    expect(bench.receiver.take()).toEqual(['2 b']);
  });

  test('nothing that waits for a commit is sent behind a failed one', async () => {
    const bench = await OutboundBench.start({ holdsCommits: true });
    bench.attach();
    bench.deliver('a', 2);
    bench.run();
    bench.engine.failAt = bench.engine.operations + 1;
    bench.commit();
    expect(bench.store.failure).toBeDefined();
    bench.deliver('b', 2);
    bench.run();
    expect(bench.receiver.take()).toEqual([]);
  });

  test('a client that goes before the commit gets the message on its next connection', async () => {
    const bench = await OutboundBench.start({ holdsCommits: true });
    bench.attach();
    bench.deliver('a', 2);
    bench.flow.detach();
    bench.commitAll();
    expect(bench.receiver.take()).toEqual([]);
    bench.attach();
    bench.commitAll();
    expect(payloads(bench.receiver.take())).toEqual(['a']);
    await bench.expectConsistent();
  });
});

describe('expiry and size', () => {
  test('what expired in the queue is dropped and counted when its turn comes', async () => {
    const bench = await OutboundBench.start();
    bench.deliver('short', 1, 10);
    bench.deliver('long', 1, 100);
    bench.deliver('ever', 2);
    bench.run();
    bench.time.advance(10_000);
    bench.attach();
    expect(bench.receiver.take()).toEqual(['1 long', '2 ever']);
    expect(bench.statistics.dropped.expired).toBe(1);
    await bench.expectConsistent();
  });

  test('what was sent before is sent again though it has expired since', async () => {
    const bench = await OutboundBench.start();
    bench.attach();
    bench.deliver('a', 1, 10);
    bench.run();
    bench.flow.detach();
    bench.time.advance(20_000);
    bench.attach();
    expect(bench.receiver.take()).toEqual(['1 dup a']);
    expect(bench.statistics.dropped.expired).toBe(0);
  });

  test('what is too large for the client is dropped and takes no quota', async () => {
    const bench = await OutboundBench.start();
    bench.deliver('far too large', 1);
    bench.deliver('ok', 1);
    bench.run();
    bench.receiver.packetBytesMax = 5;
    bench.flow.attach(bench.receiver, 1);
    bench.run();
    expect(payloads(bench.receiver.take())).toEqual(['ok']);
    expect(bench.statistics.dropped.packet_too_large).toBe(1);
    await bench.expectConsistent();
    bench.drain();
    bench.flow.acknowledged(2);
    bench.run();
    bench.deliver('again too large', 2);
    bench.deliver('fine', 2);
    bench.run();
    expect(payloads(bench.receiver.take())).toEqual(['fine']);
    expect(bench.statistics.dropped.packet_too_large).toBe(2);
    await bench.expectConsistent();
  });

  test('a Session in memory counts its bytes down to zero, whatever becomes of them', async () => {
    const bench = await OutboundBench.start({ isStored: false });
    bench.attach(2);
    bench.receiver.packetBytesMax = 5;
    for (const qos of [1, 2] as const) {
      bench.deliver('a', qos);
      bench.deliver('too large', qos);
      bench.deliver('old', qos, 1);
    }
    expect(bench.flow.queue.bytes).toBeGreaterThan(0);
    bench.time.advance(2000);
    for (let i = 1; i < 10; i++) {
      bench.flow.acknowledged(i);
      bench.flow.received(i, false);
      bench.flow.completed(i);
    }
    expect(bench.flow.queue.bytes).toBe(0);
    expect(bench.flow.waiting).toBe(0);
    expect(bench.flow.inFlight).toBe(0);
  });
});

describe('QoS 0 for a client that was away', () => {
  test('comes in its place and leaves nothing behind', async () => {
    const bench = await OutboundBench.start();
    bench.deliver('zero', 0);
    bench.deliver('one', 1);
    bench.deliver('zero again', 0);
    bench.run();
    bench.attach(1);
    expect(bench.receiver.take()).toEqual(['zero', '1 one']);
    bench.flow.acknowledged(1);
    bench.run();
    expect(bench.receiver.take()).toEqual(['zero again']);
    await bench.expectConsistent();
    expect(await bench.onDisk()).toMatchObject({ count: 0, exchanges: 0 });
  });
});

test('unfinished tells what no client has finished, in order', async () => {
  const bench = await OutboundBench.start({ isStored: false });
  bench.attach(2);
  bench.deliver('a', 1);
  bench.deliver('b', 2);
  bench.deliver('c', 1);
  bench.flow.received(2, false);
  const states = [...unfinished(bench.flow)].map(({ packetIdentifier }) => packetIdentifier);
  expect(states).toEqual([1, 0]);
});

test('a thousand messages pass through a window of ten in order', async () => {
  const bench = await OutboundBench.start();
  bench.deliverMany(0, 1000);
  bench.attach(10);
  expect(payloads(bench.drain())).toEqual(texts(0, 1000));
  expect(await bench.onDisk()).toEqual({
    count: 0,
    bytes: 0,
    exchanges: 0,
    first: Number.POSITIVE_INFINITY,
  });
  expect(bench.flow.queue).toMatchObject({ count: 0, bytes: 0, headSequence: 1001 });
});
