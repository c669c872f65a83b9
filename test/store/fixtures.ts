import type { Clock, EndOfTick, TickTask, Timers } from '../../src/base/clock.js';
import { TimerWheel } from '../../src/base/timer-wheel.js';
import { utf8Bytes } from '../../src/base/utf8.js';
import type { SessionRecord } from '../../src/broker/store.js';
import { Delivery } from '../../src/session/delivery.js';
import type { QueuePosition, QueueReader } from '../../src/session/session-store.js';
import { ApplicationMessage, NEVER_EXPIRES } from '../../src/wire/application-message.js';

/** A tick that ends when the test says so. */
export class ManualTick implements EndOfTick {
  #commits: TickTask[] = [];

  commit(task: TickTask): void {
    this.#commits.push(task);
  }

  get isIdle(): boolean {
    return this.#commits.length === 0;
  }

  flush(task: TickTask): void {
    this.commit(task);
  }

  /** Runs what was added; what that adds waits for the next turn. */
  endTurn(): void {
    const tasks = this.#commits;
    this.#commits = [];
    for (const task of tasks) task.endOfTick();
  }

  /** Runs what was added, and what that adds, until nothing is left. */
  end(): void {
    for (let rounds = 0; this.#commits.length > 0; rounds++) {
      if (rounds > 100_000) throw new Error('the tick never ends');
      this.endTurn();
    }
  }
}

/** Time that moves when the test says so. */
export class ManualClock implements Clock {
  nowMs = 0;
  readonly #wheel = new TimerWheel(0);

  get timers(): Timers {
    return this.#wheel;
  }

  wallMs(): number {
    return this.nowMs;
  }

  advance(ms: number): void {
    this.nowMs += ms;
    this.#wheel.advance(this.nowMs);
  }
}

export function messageOf(topicName: string, bytes = 10, fill = 7): ApplicationMessage {
  return new ApplicationMessage(
    topicName,
    utf8Bytes(topicName),
    new Uint8Array(bytes).fill(fill),
    new Uint8Array(0),
    1,
    false,
    NEVER_EXPIRES,
    'publisher',
  );
}

export function sessionOf(sessionNumber: number, clientIdentifier: string): SessionRecord {
  return {
    sessionNumber,
    clientIdentifier,
    userName: undefined,
    protocolVersion: 5,
    sessionExpiryIntervalSeconds: 3600,
    connected: true,
    disconnectedAtWallMs: 0,
    will: undefined,
    willDueWallMs: 0,
  };
}

/** A queue whose head the test moves. */
export interface TestQueue extends QueuePosition {
  headSequence: number;
}

export function queueOf(sessionNumber: number): TestQueue {
  return { sessionNumber, headSequence: 1, tailSequence: 1, count: 0, bytes: 0 };
}

/** As a Session does it: takes the next sequence and counts. */
export function deliveryFor(
  queue: QueuePosition,
  message: ApplicationMessage,
  qos: 0 | 1 | 2 = 1,
): Delivery {
  const delivery = new Delivery(message, qos, false);
  delivery.sequence = queue.tailSequence++;
  queue.count++;
  queue.bytes += message.bytes;
  return delivery;
}

/** Remembers the page it was given. */
export class PageKeeper implements QueueReader {
  deliveries: readonly Delivery[] | undefined = undefined;
  end = -1;

  page(deliveries: readonly Delivery[], end: number): void {
    if (this.deliveries !== undefined) throw new Error('a reader is called once');
    this.deliveries = deliveries;
    this.end = end;
  }
}
