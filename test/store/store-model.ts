import type { Random } from '../../src/base/random.js';
import type { SessionRecord, StoredSubscription } from '../../src/broker/store.js';
import { Delivery, DeliveryState } from '../../src/session/delivery.js';
import { DurableStore } from '../../src/store/durable-store.js';
import { MemoryEngine } from '../../src/store/memory-engine.js';
import { recover } from '../../src/store/recovery.js';
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

/** What one Session should hold, as plain data that two worlds can be compared by. */
interface SessionState {
  record: SessionRecord;
  subscriptions: Record<string, StoredSubscription>;
  queue: Record<number, string>;
  exchanges: Record<number, string>;
  received: number[];
  count: number;
  bytes: number;
}

export interface State {
  sessions: Record<number, SessionState>;
  retained: Record<string, number>;
}

interface Live {
  record: SessionRecord;
  readonly queue: TestQueue;
  readonly deliveries: Map<number, Delivery>;
}

/** What outlives a crash: the disk answers reads in its own time. */
class Disk {
  readonly tick: ManualTick = new ManualTick();
  readonly engine: MemoryEngine = new MemoryEngine(this.tick);
  /** Session numbers given in committed batches of earlier runs: none may be given again. */
  readonly given: Set<number> = new Set();
}

/** A store on a disk that can crash, what was done to it, and what the disk should hold. */
export class StoreModel {
  readonly #random: Random;
  readonly #disk: Disk;
  readonly #tick = new ManualTick();
  readonly #clock = new ManualClock();
  readonly engine: ManualEngine;
  readonly store: DurableStore;
  readonly state: State;
  /** The state when the last write that is done began, and when the last of all did. */
  #written: string;
  #writing: string;
  /** What was put with which ticket, as a question to the state that a crash leaves. */
  #promises: { ticket: number; isKept: (state: State) => boolean; what: string }[] = [];
  readonly #live = new Map<number, Live>();
  /** The ticket with which each number was given. */
  readonly #givenAt = new Map<number, number>();

  private constructor(random: Random, disk: Disk, state: State) {
    this.#random = random;
    this.#disk = disk;
    this.engine = new ManualEngine(disk.engine);
    this.store = new DurableStore({
      engine: this.engine,
      endOfTick: this.#tick,
      grace: { clock: this.#clock, timers: this.#clock.timers, graceMs: random.below(5) },
      onFailure: () => {},
    });
    this.state = state;
    this.#written = JSON.stringify(state);
    this.#writing = this.#written;
    this.engine.began = () => {
      this.#writing = JSON.stringify(this.state);
    };
  }

  static empty(random: Random): StoreModel {
    return new StoreModel(random, new Disk(), { sessions: {}, retained: {} });
  }

  get failed(): boolean {
    return this.store.failure !== undefined;
  }

  /** What the disk may hold after a crash: the last that was written, or the batch in flight too. */
  get acceptable(): { lost: string; kept: string } {
    return { lost: this.#written, kept: this.#writing };
  }

  /** What a committed ticket stood for, is still wanted, and would be lost by a crash. */
  get brokenPromises(): string[] {
    const state = JSON.parse(this.#written) as State;
    const { committedTicket } = this.store;
    return this.#promises
      .filter(({ ticket, isKept }) => ticket <= committedTicket && !isKept(state))
      .map(({ what }) => what);
  }

  /** Starts again from the disk; returns the new world, whose `state` is what recovery told. */
  async restarted(keep: boolean): Promise<StoreModel> {
    this.engine.crash(keep);
    for (const [number, ticket] of this.#givenAt) {
      if (ticket <= this.store.committedTicket) this.#disk.given.add(number);
    }
    const state: State = { sessions: {}, retained: {} };
    const next = new StoreModel(this.#random, this.#disk, state);
    await next.#recover();
    // Only what was left of removed Sessions was written meanwhile.
    next.#written = JSON.stringify(state);
    next.#writing = next.#written;
    return next;
  }

  /** Ends the tick: what is put is now on its way to the disk, unless a batch is in flight. */
  endTick(): void {
    this.#endTurns();
    this.#clock.advance(1000);
    this.#endTurns();
  }

  #endTurns(): void {
    while (!this.#tick.isIdle || !this.#disk.tick.isIdle) {
      this.#tick.end();
      this.#disk.tick.end();
    }
  }

  /** Ends one turn, in which others may still come before the batch begins. */
  endTurn(): void {
    this.#tick.endTurn();
    this.#disk.tick.end();
    this.#clock.advance(this.#random.below(2));
  }

  complete(): void {
    if (!this.engine.isWriting) return;
    this.engine.complete();
    if (!this.failed && !this.engine.isWriting) this.#written = this.#writing;
  }

  /** Until nothing is pending and nothing is left to erase. */
  drain(): void {
    for (let i = 0; i < 100_000; i++) {
      this.endTick();
      if (this.failed || !this.engine.isWriting) return;
      this.complete();
    }
    throw new Error('the store never comes to rest');
  }

  step(): void {
    const action = this.#random.below(100);
    if (action < 6) this.#createSession();
    else if (action < 9) this.#changeSession();
    else if (action < 11) this.removeSession();
    else if (action < 16) this.#subscribe();
    else if (action < 40) this.#publish();
    else if (action < 54) this.#send();
    else if (action < 58) this.#release();
    else if (action < 72) this.#acknowledge();
    else if (action < 76) this.#receive();
    else if (action < 82) this.#retain();
    else if (action < 90) this.endTurn();
    else if (action < 93) this.endTick();
    else this.complete();
  }

  removeSession(): void {
    const live = this.#pick();
    if (live === undefined) return;
    this.store.removeSession(live.record);
    this.#live.delete(live.record.sessionNumber);
    delete this.state.sessions[live.record.sessionNumber];
  }

  get sessions(): number {
    return this.#live.size;
  }

  #pick(): Live | undefined {
    const all = [...this.#live.values()];
    return all.length === 0 ? undefined : all[this.#random.below(all.length)];
  }

  #stateOf(live: Live): SessionState {
    return this.state.sessions[live.record.sessionNumber]!;
  }

  #createSession(): void {
    if (this.#live.size >= 5) return;
    const number = this.store.nextSessionNumber();
    if (this.#disk.given.has(number)) throw new Error(`session number ${number} is given twice`);
    this.#givenAt.set(number, this.store.openTicket);
    const record = sessionOf(number, `client-${number}`);
    this.store.putSession(record);
    this.#live.set(number, { record, queue: queueOf(number), deliveries: new Map() });
    this.state.sessions[number] = {
      record,
      subscriptions: {},
      queue: {},
      exchanges: {},
      received: [],
      count: 0,
      bytes: 0,
    };
  }

  #changeSession(): void {
    const live = this.#pick();
    if (live === undefined) return;
    live.record = { ...live.record, disconnectedAtWallMs: this.#random.below(1_000_000) };
    this.store.putSession(live.record);
    this.#stateOf(live).record = live.record;
  }

  #subscribe(): void {
    const live = this.#pick();
    if (live === undefined) return;
    const { sessionNumber } = live.record;
    const topicFilter = `filter/${this.#random.below(3)}/#`;
    const { subscriptions } = this.#stateOf(live);
    if (this.#random.below(3) === 0) {
      this.store.removeSubscription(sessionNumber, topicFilter);
      delete subscriptions[topicFilter];
      return;
    }
    const subscriptionIdentifier = 1 + this.#random.below(1000);
    const options = {
      qos: 1,
      noLocal: false,
      retainAsPublished: false,
      retainHandling: 0,
    } as const;
    const subscription = { topicFilter, options, subscriptionIdentifier };
    this.store.putSubscription(sessionNumber, subscription);
    subscriptions[topicFilter] = subscription;
  }

  /** One message to one or several Sessions; half of the messages are worth sharing. */
  #publish(): void {
    const large = this.#random.below(2) === 0;
    const message = messageOf(`t/${this.#random.below(1_000_000)}`, large ? 600 : 5);
    for (const live of this.#live.values()) {
      if (this.#random.below(3) === 0) continue;
      const delivery = deliveryFor(live.queue, message, this.#random.below(2) === 0 ? 1 : 2);
      if (this.#random.below(2) === 0) this.#identify(live, delivery);
      this.store.enqueue(live.queue, delivery);
      this.#promise(live, delivery);
      live.deliveries.set(delivery.sequence, delivery);
      const state = this.#stateOf(live);
      state.queue[delivery.sequence] = describe(delivery);
      this.#count(live);
    }
  }

  #count(live: Live): void {
    const state = this.#stateOf(live);
    state.count = live.queue.count;
    state.bytes = live.queue.bytes;
  }

  #pickDelivery(live: Live): Delivery | undefined {
    const all = [...live.deliveries.values()];
    return all.length === 0 ? undefined : all[this.#random.below(all.length)];
  }

  #send(): void {
    const live = this.#pick();
    const delivery = live && this.#pickDelivery(live);
    if (live === undefined || delivery === undefined) return;
    if (delivery.state === DeliveryState.Released) return;
    if (delivery.packetIdentifier === 0) this.#identify(live, delivery);
    this.store.sent(live.queue, delivery);
  }

  #identify(live: Live, delivery: Delivery): void {
    const { exchanges } = this.#stateOf(live);
    let identifier = 1;
    while (exchanges[identifier] !== undefined) identifier++;
    delivery.packetIdentifier = identifier;
    delivery.state = DeliveryState.InFlight;
    exchanges[identifier] = `${delivery.sequence} false`;
  }

  #promise(live: Live, delivery: Delivery): void {
    const { sessionNumber } = live.record;
    const { sequence } = delivery;
    this.#promises.push({
      ticket: this.store.openTicket,
      what: `session ${sessionNumber}, sequence ${sequence}`,
      isKept: (state) =>
        !this.#live.has(sessionNumber) ||
        !live.deliveries.has(sequence) ||
        delivery.state === DeliveryState.Released ||
        state.sessions[sessionNumber]?.queue[sequence] !== undefined,
    });
  }

  #release(): void {
    const live = this.#pick();
    const delivery = live && this.#pickDelivery(live);
    if (live === undefined || delivery === undefined) return;
    if (delivery.state !== DeliveryState.InFlight || delivery.qos !== 2) return;
    delivery.state = DeliveryState.Released;
    live.queue.bytes -= delivery.message!.bytes;
    this.store.released(live.queue, delivery);
    delivery.message = undefined;
    const state = this.#stateOf(live);
    delete state.queue[delivery.sequence];
    state.exchanges[delivery.packetIdentifier] = `${delivery.sequence} true`;
    this.#count(live);
  }

  /** The end of a delivery, in whatever state it is: acknowledged, expired or dropped. */
  #acknowledge(): void {
    const live = this.#pick();
    const delivery = live && this.#pickDelivery(live);
    if (live === undefined || delivery === undefined) return;
    live.queue.count--;
    live.queue.bytes -= delivery.message?.bytes ?? 0;
    live.deliveries.delete(delivery.sequence);
    const least = Math.min(...live.deliveries.keys(), live.queue.tailSequence);
    live.queue.headSequence = least;
    this.store.dequeue(live.queue, delivery);
    const state = this.#stateOf(live);
    delete state.queue[delivery.sequence];
    delete state.exchanges[delivery.packetIdentifier];
    this.#count(live);
  }

  #receive(): void {
    const live = this.#pick();
    if (live === undefined) return;
    const identifier = 1 + this.#random.below(4);
    const state = this.#stateOf(live);
    const { sessionNumber } = live.record;
    if (state.received.includes(identifier)) {
      this.store.completed(sessionNumber, identifier);
      state.received = state.received.filter((other) => other !== identifier);
    } else {
      this.store.received(sessionNumber, identifier);
      state.received = [...state.received, identifier].sort();
    }
  }

  #retain(): void {
    const topicName = `r/${this.#random.below(4)}`;
    if (this.#random.below(3) === 0) {
      this.store.removeRetained(topicName);
      delete this.state.retained[topicName];
    } else {
      const fill = this.#random.below(256);
      this.store.putRetained(messageOf(topicName, 5, fill));
      this.state.retained[topicName] = fill;
    }
  }

  async #recover(): Promise<void> {
    const told = new RecordingRecovery();
    await recover(this.engine, this.store, told);
    for (const record of told.sessions) {
      const queue = told.queues.get(record.sessionNumber)!;
      const live = { record, queue, deliveries: new Map<number, Delivery>() };
      this.#live.set(record.sessionNumber, live);
      this.state.sessions[record.sessionNumber] = {
        record,
        subscriptions: {},
        queue: {},
        exchanges: {},
        received: [],
        count: queue.count,
        bytes: queue.bytes,
      };
      this.#readAll(live);
    }
    for (const [number, subscription] of told.subscriptions) {
      this.state.sessions[number]!.subscriptions[subscription.topicFilter] = subscription;
    }
    for (const [number, identifier, sequence, released] of told.exchanges) {
      this.#recoverExchange(this.#live.get(number)!, identifier, sequence, released);
    }
    for (const [number, identifier] of told.receivedIdentifiers) {
      this.state.sessions[number]!.received.push(identifier);
    }
    for (const { topicName, payload } of told.retainedMessages) {
      this.state.retained[topicName] = payload[0]!;
    }
  }

  #readAll(live: Live): void {
    const { queue } = live;
    for (let from = queue.headSequence; from < queue.tailSequence; ) {
      const keeper = new PageKeeper();
      this.store.readQueue(queue, from, queue.tailSequence, 3, keeper);
      for (let turns = 0; keeper.deliveries === undefined; turns++) {
        if (turns > 1000) throw new Error('a page was never read');
        this.endTick();
        if (keeper.deliveries === undefined) this.complete();
      }
      for (const delivery of keeper.deliveries as readonly Delivery[]) {
        live.deliveries.set(delivery.sequence, delivery);
        this.#stateOf(live).queue[delivery.sequence] = describe(delivery);
      }
      from = keeper.end;
    }
  }

  #recoverExchange(live: Live, identifier: number, sequence: number, released: boolean): void {
    let delivery = live.deliveries.get(sequence);
    if (delivery === undefined) {
      delivery = new Delivery(undefined, 2, false);
      delivery.sequence = sequence;
      live.deliveries.set(sequence, delivery);
    }
    delivery.packetIdentifier = identifier;
    delivery.state = released ? DeliveryState.Released : DeliveryState.InFlight;
    this.#stateOf(live).exchanges[identifier] = `${sequence} ${released}`;
  }
}

function describe(delivery: Delivery): string {
  const { topicName, payload } = delivery.message!;
  return `${topicName} ${payload.length} qos ${delivery.qos}`;
}
