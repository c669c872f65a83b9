import { describe, expect, it } from 'vitest';
import { DurableStore } from '../../src/store/durable-store.js';
import { MemoryEngine } from '../../src/store/memory-engine.js';
import { recover } from '../../src/store/recovery.js';
import { deliveryFor, ManualTick, messageOf, PageKeeper, queueOf, sessionOf } from './fixtures.js';
import { RecordingRecovery } from './recording-recovery.js';

function open(engine?: MemoryEngine) {
  const tick = new ManualTick();
  const failures: string[] = [];
  const theEngine = engine ?? new MemoryEngine(tick);
  const store = new DurableStore({
    engine: theEngine,
    endOfTick: tick,
    onFailure: (failure) => failures.push(failure.sentence),
  });
  return { tick, engine: theEngine, store, failures };
}

async function recovered(engine: MemoryEngine) {
  const next = open(engine);
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
});
