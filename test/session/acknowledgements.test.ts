import { describe, expect, test } from 'vitest';
import { Acknowledgements } from '../../src/session/acknowledgements.js';
import { BufferPool } from '../../src/session/buffer-pool.js';
import { Outbox } from '../../src/session/outbox.js';
import type { SessionStore } from '../../src/session/session-store.js';
import { PacketType } from '../../src/wire/control-packet.js';
import { ReasonCode } from '../../src/wire/reason-code.js';
import { BrokerWorld } from '../broker/broker-world.js';
import { decoded } from '../broker/packets.js';
import { TestTime } from '../broker/test-time.js';
import { FakeNetwork } from './fake-network.js';

const { PUBACK, PUBREC, PUBREL, PUBCOMP } = PacketType;
const { Success, NoMatchingSubscribers, QuotaExceeded } = ReasonCode;

class FakeStore {
  openTicket = 1;
  committedTicket = 0;
  /** Calls of `afterCommit` that were not answered. */
  registered = 0;
  #acknowledgements: Acknowledgements[] = [];

  afterCommit(waiter: Acknowledgements): void {
    this.registered++;
    this.#acknowledgements.push(waiter);
  }

  commit(ticket: number): void {
    this.committedTicket = ticket;
    this.openTicket = ticket + 1;
    const waiters = this.#acknowledgements;
    this.#acknowledgements = [];
    this.registered = 0;
    for (const waiter of waiters) waiter.committed(ticket);
  }
}

function setUp(version: 4 | 5 = 5) {
  const network = new FakeNetwork();
  const time = new TestTime();
  const store = new FakeStore();
  const outbox = new Outbox(network, time, new BufferPool(), 1e6, {
    drained() {},
    sent() {},
    sentHeld() {},
  });
  const acknowledgements = new Acknowledgements(outbox, store as unknown as SessionStore, version);
  const sent = (): string[] => {
    time.run();
    return decoded(network.take(), version).map(
      ({ cmd, messageId, reasonCode }) =>
        `${String(cmd)} ${String(messageId)} ${String(reasonCode)}`,
    );
  };
  return { store, acknowledgements, sent };
}

describe('what is written', () => {
  test('in 5.0 with a Reason Code where there is one to tell', () => {
    const { acknowledgements, sent } = setUp(5);
    acknowledgements.acknowledge(PUBACK, 0x1234, Success, 0);
    acknowledgements.acknowledge(PUBACK, 2, NoMatchingSubscribers, 0);
    acknowledgements.acknowledge(PUBREC, 3, QuotaExceeded, 0);
    acknowledgements.acknowledge(PUBREL, 4, ReasonCode.PacketIdentifierNotFound, 0);
    acknowledgements.acknowledge(PUBCOMP, 0xffff, ReasonCode.PacketIdentifierNotFound, 0);
    expect(sent()).toEqual([
      `puback ${0x1234} 0`,
      'puback 2 16',
      'pubrec 3 151',
      'pubrel 4 146',
      'pubcomp 65535 146',
    ]);
  });

  test('before 5.0 never with one', () => {
    const { acknowledgements, sent } = setUp(4);
    acknowledgements.acknowledge(PUBACK, 1, NoMatchingSubscribers, 0);
    acknowledgements.acknowledge(PUBREC, 2, QuotaExceeded, 0);
    expect(sent()).toEqual(['puback 1 undefined', 'pubrec 2 undefined']);
  });
});

describe('order', () => {
  test('what waits for nothing goes behind what waits for a commit', () => {
    const { store, acknowledgements, sent } = setUp();
    acknowledgements.acknowledge(PUBACK, 1, Success, 0);
    acknowledgements.acknowledge(PUBACK, 2, Success, 1);
    acknowledgements.acknowledge(PUBACK, 3, Success, 0);
    const order: string[] = [];
    acknowledgements.answer(Uint8Array.of(0xb0, 3, 0, 9, 0), 0, () => order.push('sent'));
    acknowledgements.acknowledge(PUBREC, 4, Success, 2);
    acknowledgements.acknowledge(PUBACK, 5, Success, 1);
    expect(sent()).toEqual(['puback 1 0']);
    expect(acknowledgements.waiting).toBe(5);
    expect(order).toEqual([]);
    expect(store.registered).toBe(1);
    store.commit(1);
    expect(order).toEqual(['sent']);
    expect(sent()).toEqual(['puback 2 0', 'puback 3 0', 'unsuback 9 undefined']);
    expect(acknowledgements.waiting).toBe(2);
    expect(store.registered).toBe(1);
    store.commit(2);
    expect(sent()).toEqual(['pubrec 4 0', 'puback 5 0']);
    expect(acknowledgements).toMatchObject({ waiting: 0 });
    expect(store.registered).toBe(0);
    acknowledgements.acknowledge(PUBACK, 6, Success, 2);
    expect(sent()).toEqual(['puback 6 0']);
  });

  test('isWaiting knows kind and identifier', () => {
    const { store, acknowledgements } = setUp();
    acknowledgements.acknowledge(PUBACK, 7, Success, 1);
    acknowledgements.acknowledge(PUBREC, 8, Success, 1);
    expect(acknowledgements.isWaiting(PUBACK, 7)).toBe(true);
    expect(acknowledgements.isWaiting(PUBREC, 7)).toBe(false);
    expect(acknowledgements.isWaiting(PUBREC, 8)).toBe(true);
    store.commit(1);
    expect(acknowledgements.isWaiting(PUBACK, 7)).toBe(false);
  });

  test('behind the close nothing is sent and nobody told', () => {
    const { store, acknowledgements, sent } = setUp();
    let told = 0;
    acknowledgements.acknowledge(PUBACK, 1, Success, 1);
    acknowledgements.answer(Uint8Array.of(0xb0, 3, 0, 9, 0), 1, () => told++);
    acknowledgements.close();
    store.commit(1);
    expect(sent()).toEqual([]);
    expect(told).toBe(0);
  });

  test('a connection that ends inside `sent` gets nothing more', () => {
    const { store, acknowledgements, sent } = setUp();
    acknowledgements.answer(Uint8Array.of(0xb0, 3, 0, 9, 0), 1, () => acknowledgements.close());
    acknowledgements.acknowledge(PUBACK, 1, Success, 1);
    store.commit(1);
    expect(sent()).toEqual(['unsuback 9 undefined']);
  });
});

describe('in a broker', () => {
  test('the answers of one chunk keep its order, whatever each has to wait for', async () => {
    const world = await BrokerWorld.start({ holdsCommits: true });
    const stored = world.connect('stored', { properties: { sessionExpiryInterval: 60 } });
    stored.send(stored.subscribePacket('kept', { qos: 2 }));
    world.commitAll();
    const a = world.connect('a');
    a.send(
      a.publishPacket('nobody', '', { qos: 1 }),
      a.publishPacket('kept', '', { qos: 1 }),
      a.publishPacket('nobody', '', { qos: 2 }),
      a.subscribePacket('x'),
      { cmd: 'pingreq' },
      a.publishPacket('kept', '', { qos: 2 }),
      a.publishPacket('nobody', '', { qos: 1 }),
    );
    expect(a.brief()).toEqual(['puback 256 0x10', 'pingresp']);
    world.commit();
    expect(a.brief()).toEqual([
      'puback 257',
      'pubrec 258 0x10',
      'suback 259',
      'pubrec 260',
      'puback 261 0x10',
    ]);
  });

  test('behind a failed commit nothing is acknowledged that the store should keep', async () => {
    const world = await BrokerWorld.start({ holdsCommits: true });
    const a = world.connect('a', { properties: { sessionExpiryInterval: 60 } });
    a.send(a.subscribePacket('t', { qos: 1 }));
    world.commitAll();
    a.packets();
    a.publish('t', 'before', { qos: 1 });
    a.publish('t', 'exactly', { qos: 2 });
    world.engine.failAt = world.engine.operations + 1;
    world.commit();
    expect(world.failure?.sentence).toBe('The disk is full.');
    a.publish('t', 'behind', { qos: 1 });
    a.publish('t', 'retained', { qos: 2, retain: true });
    a.send(a.subscribePacket('u', { qos: 1 }));
    world.run();
    const answers = a.packets().filter(({ cmd }) => cmd !== 'publish');
    expect(answers).toEqual([]);
  });
});
