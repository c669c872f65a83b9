import { describe, expect, it } from 'vitest';
import { type Random, SeededRandom } from '../../src/base/random.js';
import type { Delivery } from '../../src/session/delivery.js';
import { DurableStore } from '../../src/store/durable-store.js';
import { Family, familyPrefix, sequenceOf, sessionNumberOf } from '../../src/store/key.js';
import { MemoryEngine } from '../../src/store/memory-engine.js';
import { recover } from '../../src/store/recovery.js';
import { diskProblems } from './disk-check.js';
import {
  deliveryFor,
  ManualClock,
  ManualTick,
  messageOf,
  PageKeeper,
  queueOf,
  sessionOf,
  type TestQueue,
} from './fixtures.js';
import { ManualEngine } from './manual-engine.js';
import { RecordingRecovery } from './recording-recovery.js';

const GRACE_MS = 8;
/** A removal waits that long for company at most, and for the batch that is being written. */
const LATER_MS = 100;
const WRITE_MS_MAX = 6;

interface Client {
  readonly queue: TestQueue;
  readonly unacknowledged: Delivery[];
  nextIdentifier: number;
}

/** Clients that are there: all that is put may be taken back, so batches take what is old alone. */
class PromptClients {
  readonly clock: ManualClock = new ManualClock();
  readonly #tick = new ManualTick();
  readonly diskTick: ManualTick = new ManualTick();
  readonly disk: ManualEngine = new ManualEngine(new MemoryEngine(this.diskTick));
  readonly store: DurableStore;
  readonly clients: readonly Client[];
  #writingSinceMs = 0;

  constructor(count: number, graceMs = GRACE_MS) {
    this.disk.began = () => {
      this.#writingSinceMs = this.clock.nowMs;
    };
    const grace = { clock: this.clock, timers: this.clock.timers, graceMs };
    const parts = { engine: this.disk, endOfTick: this.#tick, grace, onFailure: () => {} };
    this.store = new DurableStore(parts);
    this.clients = Array.from({ length: count }, () => {
      const queue = queueOf(this.store.nextSessionNumber());
      this.store.putSession(sessionOf(queue.sessionNumber, `client-${queue.sessionNumber}`));
      return { queue, unacknowledged: [], nextIdentifier: 1 };
    });
    this.endTurn();
    this.complete();
  }

  send(client: Client, payloadBytes = 10): void {
    this.publish([client], payloadBytes);
  }

  publish(clients: readonly Client[], payloadBytes: number): void {
    const message = messageOf('a', payloadBytes);
    for (const client of clients) {
      const delivery = deliveryFor(client.queue, message, 1);
      delivery.packetIdentifier = client.nextIdentifier++;
      this.store.enqueue(client.queue, delivery);
      client.unacknowledged.push(delivery);
    }
  }

  acknowledge(client: Client, index = 0): Delivery {
    const { queue, unacknowledged } = client;
    const [delivery] = unacknowledged.splice(index, 1);
    queue.count--;
    queue.bytes -= delivery!.message!.bytes;
    queue.headSequence = unacknowledged[0]?.sequence ?? queue.tailSequence;
    this.store.dequeue(queue, delivery!);
    return delivery!;
  }

  /** A new connection gives what was not acknowledged new identifiers. */
  reconnect(client: Client): void {
    for (const delivery of client.unacknowledged) {
      delivery.packetIdentifier = client.nextIdentifier++;
      this.store.sent(client.queue, delivery);
    }
  }

  endTurn(): void {
    this.#tick.end();
  }

  advance(ms: number): void {
    this.endTurn();
    for (let i = 0; i < ms; i++) {
      this.clock.advance(1);
      this.endTurn();
      const isLate = this.clock.nowMs - this.#writingSinceMs >= WRITE_MS_MAX;
      if (isLate) this.complete();
    }
  }

  complete(): void {
    if (!this.disk.isWriting) return;
    this.disk.complete();
    this.endTurn();
  }
}

async function entriesOn(disk: ManualEngine): Promise<string[]> {
  const found: string[] = [];
  for await (const { key } of disk.scan(familyPrefix(Family.Queue))) {
    found.push(`${sessionNumberOf(key)} ${sequenceOf(key)}`);
  }
  return found;
}

/** Starts again from the disk: every queue holds as many entries as it is told to. */
async function expectRecovered({ disk, diskTick }: PromptClients): Promise<void> {
  const tick = new ManualTick();
  const engine = disk.disk;
  const store = new DurableStore({ engine, endOfTick: tick, onFailure: () => {} });
  const told = new RecordingRecovery();
  await recover(engine, store, told);
  for (const queue of told.queues.values()) {
    let count = 0;
    for (let from = queue.headSequence; from < queue.tailSequence; ) {
      const keeper = new PageKeeper();
      store.readQueue(queue, from, queue.tailSequence, 50, keeper);
      tick.end();
      diskTick.end();
      count += keeper.deliveries!.length;
      from = keeper.end;
    }
    expect(count).toBe(queue.count);
  }
}

describe('a batch of what is old alone', () => {
  it('does not count a message that is left, since it may never be written', async () => {
    const world = new PromptClients(1);
    const client = world.clients[0]!;
    world.send(client);
    world.advance(6);
    world.send(client, 20);
    world.advance(2);
    world.complete();
    expect(await entriesOn(world.disk)).toEqual(['1 1']);
    expect(await diskProblems(world.disk)).toEqual([]);
    world.acknowledge(client, 1);
    world.advance(1000);
    expect(await entriesOn(world.disk)).toEqual(['1 1']);
    expect(await diskProblems(world.disk)).toEqual([]);
    await expectRecovered(world);
  });

  it('begins and counts with the entries whose removal is left', async () => {
    const world = new PromptClients(1, 16);
    const client = world.clients[0]!;
    for (let i = 0; i < 3; i++) world.send(client, 10 + i);
    world.advance(16);
    world.complete();
    world.send(client, 20);
    world.advance(12);
    world.acknowledge(client);
    world.acknowledge(client, 1);
    world.advance(4);
    world.complete();
    expect(await entriesOn(world.disk)).toEqual(['1 1', '1 2', '1 3', '1 4']);
    expect(await diskProblems(world.disk)).toEqual([]);
    // Put off since then, though a batch came between.
    world.advance(LATER_MS - 4);
    world.complete();
    expect(await entriesOn(world.disk)).toEqual(['1 2', '1 4']);
    expect(await diskProblems(world.disk)).toEqual([]);
    await expectRecovered(world);
  });

  for (let seed = 1; seed <= 20; seed++) {
    it(`tells the truth of every queue, and removals are not late, seed ${seed}`, async () => {
      const random = new SeededRandom(seed);
      const world = new PromptClients(3, 2 + random.below(60));
      await live(world, random);
      await expectRecovered(world);
      for (const client of world.clients) {
        while (client.unacknowledged.length > 0) world.acknowledge(client);
      }
      world.advance(2 * LATER_MS);
      expect(await entriesOn(world.disk)).toEqual([]);
      expect(await diskProblems(world.disk)).toEqual([]);
      expect(world.store.pendingBytes).toBe(0);
      expect(world.store.sharedBodies).toBe(0);
    });
  }
});

async function live(world: PromptClients, random: Random): Promise<void> {
  const acknowledgedAtMs = new Map<string, number>();
  for (let step = 0; step < 600; step++) {
    const client = world.clients[random.below(world.clients.length)]!;
    const { unacknowledged, queue } = client;
    const action = random.below(100);
    if (action < 20) world.publish([client], 10 + random.below(500));
    else if (action < 30) world.publish(world.clients, 10 + random.below(500));
    else if (action < 65 && unacknowledged.length > 0) {
      const { sequence } = world.acknowledge(client, random.below(unacknowledged.length));
      acknowledgedAtMs.set(`${queue.sessionNumber} ${sequence}`, world.clock.nowMs);
    } else if (action < 67) world.reconnect(client);
    else if (action < 80) world.endTurn();
    else if (action < 97) world.advance(1 + random.below(4));
    else world.advance(random.below(2 * LATER_MS));
    expect(await diskProblems(world.disk)).toEqual([]);
    for (const entry of await entriesOn(world.disk)) {
      const ms = world.clock.nowMs - (acknowledgedAtMs.get(entry) ?? Number.POSITIVE_INFINITY);
      expect(ms).toBeLessThanOrEqual(LATER_MS + 2 * WRITE_MS_MAX);
    }
  }
}
