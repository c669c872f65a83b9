import type { Clock } from '../base/clock.js';
import { FoldedLines } from '../base/folded-lines.js';
import type { Logger } from '../base/log.js';
import { shortKey } from '../base/short-key.js';
import { utf8Text } from '../base/utf8.js';
import { DropReason, type Statistics } from './statistics.js';

/** A message that did not reach its receiver. */
export interface Drop {
  readonly clientIdentifier: string;
  readonly reason: DropReason;
  readonly topicName: string;
}

/** Who else is told: a hook point of the broker. */
export interface DropWatchers {
  readonly empty: boolean;
  run(drop: Drop): void;
}

export interface DropCounter {
  countDrop(clientIdentifier: string, reason: DropReason): void;
}

const SENTENCES: Record<DropReason, string> = {
  queue_full: 'its queue is full',
  outbox_full: 'it reads more slowly than messages come',
  expired: 'they expired before it took them',
  packet_too_large: 'they are larger than its Maximum Packet Size',
  session_ended: 'its session ended',
  offline: 'it is away',
  retained_full: 'the limits of retained messages are reached',
  not_authorized: 'its rules do not allow it any more',
};

/** Counts every dropped message by reason, tells the watchers, and the log without flooding it. */
export class Drops {
  readonly #statistics: Statistics;
  readonly #log: Logger;
  readonly #watchers: DropWatchers;
  /** Counts them for each client, where somebody does. */
  counter: DropCounter | undefined = undefined;
  readonly #lines: FoldedLines;

  constructor(statistics: Statistics, log: Logger, clock: Clock, watchers: DropWatchers) {
    this.#watchers = watchers;
    this.#statistics = statistics;
    this.#log = log;
    this.#lines = new FoldedLines(clock);
  }

  record(clientIdentifier: string, reason: DropReason, topic: Uint8Array): void {
    this.#statistics.dropped[reason]++;
    this.counter?.countDrop(clientIdentifier, reason);
    if (!this.#watchers.empty) {
      this.#watchers.run({ clientIdentifier, reason, topicName: utf8Text(topic, 0, topic.length) });
    }
    // QoS 0 to who is away is what QoS 0 means: counted, not told.
    if (reason !== DropReason.Offline) this.#tell(clientIdentifier, reason, topic);
  }

  #tell(client: string, reason: DropReason, topicBytes: Uint8Array): void {
    const count = this.#lines.count(`${reason} ${shortKey(client)}`);
    if (count === 0) return;
    const topic = utf8Text(topicBytes, 0, topicBytes.length);
    const what = count === 1 ? 'A message' : `${count} messages`;
    this.#log.warn(
      { event: 'message_dropped', client, reason, topic, count },
      `${what} for client ${client} dropped, the last one on ${topic}: ${SENTENCES[reason]}`,
    );
  }
}
