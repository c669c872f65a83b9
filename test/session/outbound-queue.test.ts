import { describe, expect, test } from 'vitest';
import { type BenchOptions, OutboundBench } from './outbound-bench.js';

const PAGE = 256;

function texts(from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, i) => `m${from + i}`);
}

function payloads(sent: readonly string[]): string[] {
  return sent.map((line) => line.replace(/^\d+ (dup )?/, ''));
}

function started(limits: BenchOptions['limits'] = {}, more: BenchOptions = {}) {
  return OutboundBench.start({ limits, ...more });
}

describe('paging', () => {
  test.for([1, PAGE - 1, PAGE, PAGE + 1, 2 * PAGE, 1300])(
    'a queue of %i comes whole and in order, with the head moving along',
    async (count) => {
      const bench = await OutboundBench.start();
      bench.deliverMany(0, count);
      await bench.expectConsistent();
      bench.attach(100);
      expect(payloads(bench.drain())).toEqual(texts(0, count));
      expect(bench.flow.queue.headSequence).toBe(count + 1);
      await bench.expectConsistent();
    },
  );

  test('an offline Session keeps no message in memory', async () => {
    const bench = await OutboundBench.start();
    bench.deliverMany(0, 300);
    expect([...bench.flow.queue]).toEqual([]);
    bench.attach(10);
    expect([...bench.flow.queue]).toHaveLength(PAGE - 10);
    bench.flow.detach();
    expect([...bench.flow.queue]).toEqual([]);
  });

  test('a client that takes nothing has one page in memory at most', async () => {
    const bench = await OutboundBench.start();
    bench.attach(1);
    bench.deliverMany(0, 1000);
    expect([...bench.flow.queue]).toHaveLength(PAGE);
    expect(payloads(bench.receiver.sent)).toEqual(['m0']);
    const first = bench.receiver.take();
    for (const line of first) bench.flow.acknowledged(Number.parseInt(line, 10));
    bench.run();
    expect(payloads(bench.drain())).toEqual(texts(1, 1000));
    await bench.expectConsistent();
  });

  test('what is unloaded comes once, in order, with what came meanwhile', async () => {
    for (const count of [2, PAGE, 1000]) {
      const bench = await OutboundBench.start();
      bench.attach(1);
      bench.deliverMany(0, count);
      bench.flow.queue.unload();
      expect([...bench.flow.queue]).toEqual([]);
      bench.deliverMany(count, count + 5);
      expect([...bench.flow.queue]).toEqual([]);
      await bench.expectConsistent();
      expect(payloads(bench.drain())).toEqual(texts(0, count + 5));
      await bench.expectConsistent();
    }
  });

  test('what is unloaded before it is durable comes all the same', async () => {
    const bench = await OutboundBench.start({ holdsCommits: true });
    bench.attach(1);
    bench.deliverMany(0, 10);
    bench.flow.queue.unload();
    const first = bench.receiver.take();
    for (const line of first) bench.flow.acknowledged(Number.parseInt(line, 10));
    bench.run();
    expect(bench.receiver.sent).toEqual([]);
    bench.commitAll();
    bench.flow.setWindow(100);
    bench.commitAll();
    expect(payloads([...first, ...bench.receiver.take()])).toEqual(texts(0, 10));
    await bench.expectConsistent();
  });

  test('a full queue keeps the oldest, which are the next to be dropped', async () => {
    const bench = await started({ queuedMessagesMax: 20 });
    bench.attach(1);
    bench.deliverMany(0, 21);
    bench.flow.queue.unload();
    expect([...bench.flow.queue]).toHaveLength(20);
  });

  test('a session that is in no store unloads nothing', async () => {
    const bench = await OutboundBench.start({ isStored: false });
    bench.attach(1);
    bench.deliverMany(0, 5);
    bench.flow.queue.unload();
    expect(payloads(bench.drain())).toEqual(texts(0, 5));
  });

  test('what is published while a page is read comes behind it', async () => {
    const bench = await OutboundBench.start({ holdsCommits: true });
    bench.deliverMany(0, PAGE + 10);
    bench.commitAll();
    bench.attach(1000);
    bench.deliver('late 1');
    bench.run();
    bench.deliver('late 2');
    const all: string[] = [];
    for (let i = 0; i < 5; i++) {
      bench.commitAll();
      all.push(...bench.receiver.take());
    }
    expect(payloads(all)).toEqual([...texts(0, PAGE + 10), 'late 1', 'late 2']);
    await bench.expectConsistent();
  });

  test('a client that goes while a page is read, and its successor, see nothing twice', async () => {
    const bench = await OutboundBench.start();
    bench.deliverMany(0, 600);
    const gone = bench.receiver;
    bench.flow.attach(gone, 10);
    bench.flow.detach();
    bench.run();
    expect(gone.sent).toEqual([]);
    expect([...bench.flow.queue]).toEqual([]);
    // The next one attaches while the read of the one before is still under way.
    bench.flow.attach(gone, 10);
    bench.flow.detach();
    bench.attach(10);
    expect(gone.sent).toEqual([]);
    expect(payloads(bench.drain())).toEqual(texts(0, 600));
    await bench.expectConsistent();
  });

  test('a reconnect in the middle of a page resends and goes on without a gap', async () => {
    const bench = await OutboundBench.start();
    bench.deliverMany(0, 700);
    bench.attach(20);
    const seen = new Set<string>();
    for (let i = 0; seen.size < 700; i++) {
      if (i > 100) throw new Error('it does not come to an end');
      const sent = bench.receiver.take();
      for (const text of payloads(sent)) seen.add(text);
      // Every other one is acknowledged, then the connection is lost.
      for (const line of sent.filter((_, at) => at % 2 === 0)) {
        bench.flow.acknowledged(Number.parseInt(line, 10));
      }
      bench.run();
      for (const text of payloads(bench.receiver.take())) seen.add(text);
      await bench.expectConsistent();
      bench.flow.detach();
      bench.attach(20);
    }
    expect([...seen]).toEqual(texts(0, 700));
  });
});

describe('overflow', () => {
  const three = { queuedMessagesMax: 3 };

  test('drop-oldest keeps the newest while the client is away', async () => {
    const bench = await started(three);
    bench.deliverMany(0, 10);
    expect(bench.statistics.dropped.queue_full).toBe(7);
    await bench.expectConsistent();
    bench.attach();
    expect(payloads(bench.drain())).toEqual(['m7', 'm8', 'm9']);
  });

  test('drop-oldest over pages drops as many as it must', async () => {
    const bench = await started({ queuedMessagesMax: 1000 });
    for (let i = 0; i < 1600; i += 100) bench.deliverMany(i, i + 100);
    expect(bench.statistics.dropped.queue_full).toBe(600);
    await bench.expectConsistent();
    bench.attach(50);
    expect(payloads(bench.drain())).toEqual(texts(600, 1600));
    await bench.expectConsistent();
  });

  test('drop-oldest leaves what is in flight to a client that is there', async () => {
    for (const isStored of [true, false]) {
      const bench = await started(three, { isStored });
      bench.attach(2);
      bench.deliverMany(0, 10);
      expect(bench.receiver.sent).toEqual(['1 m0', '2 m1']);
      expect(bench.statistics.dropped.queue_full).toBe(5);
      expect(bench.flow.waiting).toBe(3);
      if (isStored) await bench.expectConsistent();
      bench.receiver.take();
      bench.flow.acknowledged(1);
      bench.flow.acknowledged(2);
      bench.run();
      expect(payloads(bench.drain())).toEqual(['m7', 'm8', 'm9']);
      if (isStored) await bench.expectConsistent();
      else expect(bench.flow.queue.bytes).toBe(0);
    }
  });

  test('drop-oldest spares exchanges of an earlier connection, and holds the limit beside them', async () => {
    const bench = await started(three);
    bench.attach(4);
    bench.deliverMany(0, 4);
    bench.flow.detach();
    bench.deliverMany(4, 10);
    expect(bench.statistics.dropped.queue_full).toBe(3);
    bench.attach(4);
    expect(payloads(bench.drain())).toEqual([...texts(0, 4), 'm7', 'm8', 'm9']);
    await bench.expectConsistent();
  });

  test('drop-oldest holds the limit while resends wait for a client that acknowledges nothing', async () => {
    const bench = await started(three);
    bench.attach(4);
    bench.deliverMany(0, 4);
    bench.flow.detach();
    bench.attach(1);
    bench.deliverMany(4, 20);
    expect(bench.receiver.sent).toEqual(['1 dup m0']);
    expect(bench.flow.waiting).toBe(3);
    expect(bench.statistics.dropped.queue_full).toBe(13);
    await bench.expectConsistent();
    bench.receiver.take();
    bench.flow.acknowledged(1);
    bench.run();
    expect(payloads(bench.drain())).toEqual(['m1', 'm2', 'm3', 'm17', 'm18', 'm19']);
    await bench.expectConsistent();
  });

  test.for(['drop-newest', 'refuse'] as const)('%s keeps the oldest', async (queueOverflow) => {
    for (const isStored of [true, false]) {
      const bench = await started({ ...three, queueOverflow }, { isStored });
      if (!isStored) bench.attach(1);
      const taken = texts(0, isStored ? 5 : 6).map((text) => bench.deliver(text));
      bench.run();
      // What is refused is not lost: the publisher is told.
      const isDropped = queueOverflow === 'drop-newest';
      const expected = [true, true, true, isDropped, isDropped];
      expect(taken).toEqual(isStored ? expected : [true, ...expected]);
      expect(bench.statistics.dropped.queue_full).toBe(isDropped ? 2 : 0);
      if (isStored) bench.attach(1);
      const all = bench.receiver.take();
      bench.flow.acknowledged(1);
      bench.run();
      all.push(...bench.drain());
      expect(payloads(all)).toEqual(texts(0, isStored ? 3 : 4));
      if (isStored) await bench.expectConsistent();
      else expect(bench.flow.queue.bytes).toBe(0);
    }
  });

  test('the limit in bytes counts topic and payload', async () => {
    // "topic" and "m0" are seven bytes.
    const bench = await started({ queuedBytesMax: 21 });
    bench.deliverMany(0, 3);
    expect(bench.statistics.dropped.queue_full).toBe(0);
    bench.deliverMany(3, 5);
    expect(bench.statistics.dropped.queue_full).toBe(2);
    expect(bench.flow.queue.bytes).toBe(21);
    await bench.expectConsistent();
    bench.deliver('x'.repeat(30));
    bench.run();
    expect(bench.flow.queue).toMatchObject({ count: 0, bytes: 0 });
    expect(bench.statistics.dropped.queue_full).toBe(6);
    await bench.expectConsistent();
  });

  test('memory bounds a session that is not stored, and no other', async () => {
    for (const isStored of [true, false]) {
      // Each takes 512 bytes beside its seven; the first is in flight.
      const bench = await OutboundBench.start({
        isStored,
        limits: { cleanQueuedBytesMax: 3 * 519 },
      });
      bench.attach(1);
      bench.deliverMany(0, 4);
      expect(bench.statistics.dropped.queue_full).toBe(0);
      bench.deliverMany(4, 6);
      bench.run();
      expect(bench.statistics.dropped.queue_full).toBe(isStored ? 0 : 2);
      expect(bench.flow.waiting).toBe(isStored ? 5 : 3);
    }
  });

  test('one message may wait, however large', async () => {
    const bench = await OutboundBench.start({
      isStored: false,
      limits: { cleanQueuedBytesMax: 100 },
    });
    bench.attach(1);
    bench.deliver('first');
    bench.deliver('x'.repeat(1000));
    expect(bench.flow.waiting).toBe(1);
    bench.deliver('y'.repeat(1000));
    expect(bench.flow.waiting).toBe(1);
    expect(bench.statistics.dropped.queue_full).toBe(1);
  });

  test('trimming ends when nothing that may go is left', async () => {
    const bench = await started({ queuedBytesMax: 10 });
    bench.attach(5);
    bench.deliverMany(0, 3);
    expect(bench.receiver.sent).toEqual(['1 m0', '2 m1', '3 m2']);
    bench.receiver.hasRoom = false;
    bench.deliver('late');
    bench.run();
    expect(bench.statistics.dropped.queue_full).toBe(1);
    expect(bench.flow.waiting).toBe(0);
    await bench.expectConsistent();
  });
});

test('a restored position goes on where it stood', async () => {
  const bench = await OutboundBench.start();
  bench.deliverMany(0, 5);
  bench.attach(2);
  const { headSequence, tailSequence, count, bytes, sessionNumber } = bench.flow.queue;
  expect({ headSequence, tailSequence, count }).toEqual({
    headSequence: 1,
    tailSequence: 6,
    count: 5,
  });
  bench.flow.detach();
  const successor = bench.successor();
  const { queue } = successor;
  queue.sessionNumber = sessionNumber;
  queue.restore({ headSequence, tailSequence, count, bytes });
  const open = { released: false, holdTicket: 0 };
  queue.restoreExchange({ packetIdentifier: 1, sequence: 1, ...open });
  queue.restoreExchange({ packetIdentifier: 2, sequence: 2, ...open });
  expect(successor.waiting).toBe(3);
  successor.attach(bench.receiver, 10);
  bench.receiver.take();
  bench.run();
  expect(bench.receiver.take()).toEqual(['1 dup m0', '2 dup m1', '3 m2', '4 m3', '5 m4']);
  expect(successor.waiting).toBe(0);
});
