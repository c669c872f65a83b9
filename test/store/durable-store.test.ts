import { describe, expect, it } from 'vitest';
import type { QueuePosition } from '../../src/session/session-store.js';
import { DurableStore } from '../../src/store/durable-store.js';
import { Batch } from '../../src/store/engine.js';
import { Family, familyPrefix } from '../../src/store/key.js';
import { MemoryEngine } from '../../src/store/memory-engine.js';
import { recover } from '../../src/store/recovery.js';
import { diskProblems, recordCounts } from './disk-check.js';
import {
  deliveryFor,
  ManualClock,
  ManualTick,
  messageOf,
  PageKeeper,
  queueOf,
  sessionOf,
} from './fixtures.js';
import { ManualEngine } from './manual-engine.js';
import { RecordingRecovery } from './recording-recovery.js';

function open(engine?: MemoryEngine, tick = new ManualTick()) {
  const failures: string[] = [];
  const theEngine = engine ?? new MemoryEngine(tick);
  const store = new DurableStore({
    engine: theEngine,
    endOfTick: tick,
    onFailure: (failure) => failures.push(failure.sentence),
  });
  return { tick, engine: theEngine, store, failures };
}

function openManual() {
  const tick = new ManualTick();
  const disk = new ManualEngine(new MemoryEngine(tick));
  const store = new DurableStore({ engine: disk, endOfTick: tick, onFailure: () => {} });
  return { tick, store, disk };
}

function read(store: DurableStore, tick: ManualTick, queue: QueuePosition, from: number) {
  const keeper = new PageKeeper();
  store.readQueue(queue, from, queue.tailSequence, 100, keeper);
  tick.end();
  return keeper;
}

async function recovered(engine: MemoryEngine, tick?: ManualTick) {
  const next = open(engine, tick);
  const recovery = new RecordingRecovery();
  await recover(engine, next.store, recovery);
  return { ...next, recovery };
}

describe('DurableStore over the engine in memory', () => {
  it('acknowledges at the end of the tick in which something was put', () => {
    const { tick, store } = open();
    const tickets: number[] = [];
    store.putRetained(messageOf('a'));
    store.afterCommit({ committed: (ticket) => tickets.push(ticket) });
    expect(tickets).toEqual([]);
    tick.end();
    expect(tickets).toEqual([1]);
    expect(store.committedTicket).toBe(1);
    expect(store.pendingBytes).toBe(0);
  });

  it('tells recovery all that was put', async () => {
    const { tick, engine, store } = open();
    const number = store.nextSessionNumber();
    const queue = queueOf(number);
    store.putSession(sessionOf(number, 'client'));
    const subscription = {
      topicFilter: '$share/g/a/+',
      options: { qos: 2, noLocal: true, retainAsPublished: true, retainHandling: 2 },
      subscriptionIdentifier: 268_435_455,
    } as const;
    store.putSubscription(number, subscription);
    for (let i = 0; i < 3; i++) {
      const delivery = deliveryFor(queue, messageOf(`a/${i}`), 2);
      store.enqueue(queue, delivery);
      delivery.packetIdentifier = 10 - i;
      store.sent(queue, delivery);
      if (i === 1) store.released(queue, delivery);
    }
    store.received(number, 77);
    store.putRetained(messageOf('a/b'));
    tick.end();

    const { recovery } = await recovered(engine);
    expect(recovery.sessions).toEqual([sessionOf(number, 'client')]);
    expect(recovery.queues.get(number)).toMatchObject({ headSequence: 1, tailSequence: 4 });
    expect(recovery.subscriptions).toEqual([[number, subscription]]);
    expect(recovery.exchanges).toEqual([
      [number, 10, 1, false],
      [number, 9, 2, true],
      [number, 8, 3, false],
    ]);
    expect(recovery.receivedIdentifiers).toEqual([[number, 77]]);
    expect(recovery.retainedMessages.map((message) => message.topicName)).toEqual(['a/b']);
  });

  it('pages ten thousand entries back in order', () => {
    const { tick, store } = open();
    const number = store.nextSessionNumber();
    const queue = queueOf(number);
    store.putSession(sessionOf(number, 'client'));
    for (let i = 0; i < 10_000; i++) {
      store.enqueue(queue, deliveryFor(queue, messageOf(`a/${i}`, i % 7 === 0 ? 1000 : 10)));
    }
    const sequences: number[] = [];
    for (let from = 1; from < queue.tailSequence; ) {
      const keeper = new PageKeeper();
      store.readQueue(queue, from, queue.tailSequence, 100, keeper);
      expect(keeper.deliveries).toBeUndefined();
      tick.end();
      for (const delivery of keeper.deliveries!) {
        expect(delivery.message!.topicName).toBe(`a/${delivery.sequence - 1}`);
        sequences.push(delivery.sequence);
      }
      expect(keeper.end).toBeGreaterThan(from);
      from = keeper.end;
    }
    expect(sequences).toEqual(Array.from({ length: 10_000 }, (_, i) => i + 1));
  });

  it('never writes what is delivered and acknowledged inside one batch', () => {
    const { tick, store, disk } = openManual();
    const queue = queueOf(store.nextSessionNumber());
    store.putSession(sessionOf(queue.sessionNumber, 'client'));
    tick.end();
    disk.complete();
    const delivery = deliveryFor(queue, messageOf('a'), 2);
    store.enqueue(queue, delivery);
    delivery.packetIdentifier = 1;
    store.sent(queue, delivery);
    store.released(queue, delivery);
    store.dequeue(queue, delivery);
    tick.end();
    expect(disk.isWriting).toBe(false);
    expect(store.pendingBytes).toBe(0);
    expect(store.committedTicket).toBe(2);
  });

  it('waits for clients that acknowledge soon, not for slow ones', () => {
    const clock = new ManualClock();
    const tick = new ManualTick();
    const disk = new ManualEngine(new MemoryEngine(tick));
    const grace = { clock, timers: clock.timers, graceMs: 8 };
    const store = new DurableStore({ engine: disk, endOfTick: tick, grace, onFailure: () => {} });
    const client = { acknowledgeMs: 0 };
    const queue = Object.assign(queueOf(store.nextSessionNumber()), client);
    store.putSession(sessionOf(queue.sessionNumber, 'client'));
    tick.end();
    disk.complete();
    const send = (): void => {
      const delivery = deliveryFor(queue, messageOf('a'), 1);
      delivery.packetIdentifier = 1;
      store.enqueue(queue, delivery);
      tick.end();
    };
    send();
    expect(disk.isWriting).toBe(false);
    clock.advance(8);
    tick.end();
    expect(disk.isWriting).toBe(true);
    disk.complete();
    queue.acknowledgeMs = 50;
    send();
    expect(disk.isWriting).toBe(true);
  });

  it('writes only the last of several retained messages of a topic', async () => {
    const { tick, store, disk } = openManual();
    for (let i = 0; i < 10; i++) store.putRetained(messageOf('a', 5, i));
    store.putRetained(messageOf('b'));
    store.removeRetained('b');
    tick.end();
    expect(disk.writes[0]!.length).toBe(2);
    disk.complete();
    const { recovery } = await recovered(disk.disk);
    expect(recovery.retainedMessages.map(({ payload }) => payload[0])).toEqual([9]);
  });

  it('stores a large message once for many queues, a small one with each', async () => {
    const { tick, engine, store } = open();
    const queues = Array.from({ length: 5 }, () => queueOf(store.nextSessionNumber()));
    for (const { sessionNumber } of queues) store.putSession(sessionOf(sessionNumber, 'client'));
    const large = messageOf('large', 100_000);
    const small = messageOf('small', 20);
    const deliveries = queues.map((queue) => {
      store.enqueue(queue, deliveryFor(queue, small));
      const delivery = deliveryFor(queue, large);
      store.enqueue(queue, delivery);
      return delivery;
    });
    expect(store.pendingBytes).toBeLessThan(600_000);
    tick.end();
    expect(store.sharedBodies).toBe(1);
    expect(await recordCounts(engine)).toMatchObject({ Body: 1, BodyCount: 1, Queue: 10 });
    for (const [i, queue] of queues.entries()) store.dequeue(queue, deliveries[i]!);
    tick.end();
    expect(store.sharedBodies).toBe(0);
    const left = await recordCounts(engine);
    expect(left).toMatchObject({ Queue: 5 });
    expect(left).not.toHaveProperty('Body');
    expect(left).not.toHaveProperty('BodyCount');
  });

  it('shares again what is enqueued again, and reads large messages back by the page', () => {
    const { tick, store } = open();
    const queues = [1, 2].map(() => queueOf(store.nextSessionNumber()));
    for (const { sessionNumber } of queues) store.putSession(sessionOf(sessionNumber, 'client'));
    for (let i = 0; i < 8; i++) {
      const message = messageOf(`a/${i}`, 300_000, i);
      for (const queue of queues) store.enqueue(queue, deliveryFor(queue, message));
    }
    const first = read(store, tick, queues[0]!, 1);
    expect(first.deliveries!.map(({ sequence }) => sequence)).toEqual([1, 2, 3]);
    const moved = first.deliveries![0]!;
    const again = deliveryFor(queues[1]!, moved.message!);
    store.dequeue(queues[0]!, moved);
    store.enqueue(queues[1]!, again);
    tick.end();
    expect(store.sharedBodies).toBe(8);
    const last = read(store, tick, queues[1]!, again.sequence);
    expect(last.deliveries![0]!.message!.payload).toEqual(moved.message!.payload);
    expect(last.end).toBe(queues[1]!.tailSequence);
  });

  it('erases a long queue in the background, shared messages and all, also after a crash', async () => {
    const { tick, store, disk } = openManual();
    const [gone, stays] = [1, 2].map(() => queueOf(store.nextSessionNumber())) as [
      QueuePosition,
      QueuePosition,
    ];
    const record = sessionOf(gone.sessionNumber, 'gone');
    store.putSession(record);
    store.putSession(sessionOf(stays.sessionNumber, 'stays'));
    for (let i = 0; i < 1000; i++) {
      const message = messageOf(`a/${i}`, 300);
      store.enqueue(gone, deliveryFor(gone, message));
      if (i % 2 === 0) store.enqueue(stays, deliveryFor(stays, message));
    }
    tick.end();
    disk.complete();
    store.removeSession(record);
    for (let writes = 0; writes < 3; writes++) {
      tick.end();
      disk.complete();
    }
    disk.crash(false);
    const halfway = await recordCounts(disk.disk);
    expect(halfway).toMatchObject({ Session: 1, Removed: 1 });
    expect(halfway['Queue']).toBeGreaterThan(500);
    expect(await diskProblems(disk.disk)).toEqual([]);

    const next = await recovered(disk.disk, tick);
    expect(next.recovery.sessions.map(({ clientIdentifier }) => clientIdentifier)).toEqual([
      'stays',
    ]);
    tick.end();
    expect(await diskProblems(disk.disk)).toEqual([]);
    expect(await recordCounts(disk.disk)).toEqual({
      Meta: 2,
      Session: 1,
      Position: 1,
      Queue: 500,
      Body: 500,
      BodyCount: 500,
    });
  });

  it('writes nothing more of a Session that is removed, whatever still refers to it', async () => {
    const { tick, engine, store } = open();
    const queue = queueOf(store.nextSessionNumber());
    const record = sessionOf(queue.sessionNumber, 'client');
    store.putSession(record);
    const delivery = deliveryFor(queue, messageOf('a'));
    store.enqueue(queue, delivery);
    tick.end();
    store.removeSession(record);
    for (const name of ['in the same batch', 'when all is erased']) {
      store.enqueue(queue, deliveryFor(queue, messageOf(name)));
      store.dequeue(queue, delivery);
      store.received(queue.sessionNumber, 1);
      tick.end();
    }
    expect(await recordCounts(engine)).toEqual({ Meta: 1 });
  });
});

describe('DurableStore and damage', () => {
  async function damagedStore(
    family: Family,
    change: (value: Uint8Array) => Uint8Array | undefined,
  ) {
    const { tick, engine, store, failures } = open();
    const queues = [1, 2].map(() => queueOf(store.nextSessionNumber()));
    const message = messageOf('a', 1000);
    for (const queue of queues) {
      store.putSession(sessionOf(queue.sessionNumber, 'client'));
      store.enqueue(queue, deliveryFor(queue, message));
    }
    tick.end();
    const batch = new Batch();
    for await (const { key, value } of engine.scan(familyPrefix(family))) {
      const changed = change(value.slice());
      if (changed === undefined) batch.delete(key);
      else batch.put(key, changed);
    }
    engine.write(batch, () => {});
    return { tick, engine, store, failures, queue: queues[0]! };
  }

  it('fails for good when a shared message is missing', async () => {
    const { tick, store, failures, queue } = await damagedStore(Family.Body, () => undefined);
    expect(read(store, tick, queue, 1).deliveries).toBeUndefined();
    expect(failures).toEqual([
      "The store's record Q 0000000000010000000000000001 is damaged: its message, shared body 1, " +
        'is missing. Stop the broker and restore its store from a backup.',
    ]);
    expect(store.failure).toBeDefined();
  });

  it('fails for good when a queue entry does not decode', async () => {
    const cut = (value: Uint8Array) => value.slice(0, 5);
    const { tick, store, failures, queue } = await damagedStore(Family.Queue, cut);
    expect(read(store, tick, queue, 1).deliveries).toBeUndefined();
    expect(failures[0]).toContain('it ends after 5 bytes');
  });

  it('is not recovered when a record does not decode', async () => {
    const { engine } = await damagedStore(Family.Session, (value) => value.slice(0, 9));
    await expect(recovered(engine)).rejects.toThrow('record S 000000000001 is damaged');
  });
});
