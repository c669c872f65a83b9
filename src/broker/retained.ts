import { type Clock, TimerEntry, type Timers } from '../base/clock.js';
import type { Limits } from '../session/limits.js';
import { deepLevels } from '../topic/deep-levels.js';
import { RetainedTree } from '../topic/retained-tree.js';
import { type ApplicationMessage, NEVER_EXPIRES } from '../wire/application-message.js';
import type { Store } from './store.js';

/** A level of its own in the tree, as measured. */
const LEVEL_BYTES = 80;

/** Retained messages (section 3.3.1.3): one a Topic Name, until replaced, removed or expired. */
export class RetainedMessages {
  readonly #tree = new RetainedTree<ApplicationMessage>();
  readonly #expiries = new Map<string, TimerEntry>();
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #limits: Limits;
  #bytes = 0;

  constructor(parts: {
    readonly store: Store;
    readonly clock: Clock;
    readonly timers: Timers;
    readonly limits: Limits;
  }) {
    this.#store = parts.store;
    this.#clock = parts.clock;
    this.#timers = parts.timers;
    this.#limits = parts.limits;
  }

  get count(): number {
    return this.#tree.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Whether one more message of this size may be kept; replacing one is judged as adding it. */
  hasRoomFor(topicName: string, bytes: number): boolean {
    const old = this.#tree.get(topicName);
    const count = this.#tree.size + (old === undefined ? 1 : 0);
    const room = bytesAt(topicName, bytes) - (old === undefined ? 0 : bytesOf(old));
    return (
      count <= this.#limits.retainedMessagesMax &&
      this.#bytes + room <= this.#limits.retainedBytesMax
    );
  }

  /** Replaces what the topic had. [MQTT-3.3.1-5] */
  set(message: ApplicationMessage): void {
    this.#store.putRetained(message);
    this.restore(message);
  }

  /** What the topic had, if anything, is retained no more. [MQTT-3.3.1-6] */
  remove(topicName: string): void {
    const old = this.#tree.delete(topicName);
    if (old === undefined) return;
    this.#bytes -= bytesOf(old);
    this.#disarm(topicName);
    this.#store.removeRetained(topicName);
  }

  /** A message that the store already has. */
  restore(message: ApplicationMessage): void {
    const { topicName } = message;
    const old = this.#tree.set(topicName, message);
    this.#bytes += bytesOf(message) - (old === undefined ? 0 : bytesOf(old));
    if (old !== undefined) this.#disarm(topicName);
    if (message.expiresAtWallMs === NEVER_EXPIRES) return;
    const timer = new TimerEntry(() => this.remove(topicName));
    this.#expiries.set(topicName, timer);
    this.#timers.arm(timer, Math.max(0, message.expiresAtWallMs - this.#clock.wallMs()));
  }

  /**
   * Those that match, pulled one by one as the receiver's socket takes them; with No Local without
   * the receiver's own. [MQTT-3.8.3-3]
   */
  *matching(topicFilter: string, notOf?: string): Generator<ApplicationMessage | undefined, void> {
    for (const message of this.#tree.matcher(topicFilter)) {
      const isWanted =
        message !== undefined &&
        message.publisher !== notOf &&
        message.expiresAtWallMs > this.#clock.wallMs();
      yield isWanted ? message : undefined;
    }
  }

  #disarm(topicName: string): void {
    const timer = this.#expiries.get(topicName);
    if (timer === undefined) return;
    this.#timers.disarm(timer);
    this.#expiries.delete(topicName);
  }
}

function bytesOf({ topicName, bytes }: ApplicationMessage): number {
  return bytesAt(topicName, bytes);
}

function bytesAt(topicName: string, bytes: number): number {
  return bytes + deepLevels(topicName) * LEVEL_BYTES;
}
