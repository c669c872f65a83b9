import type { IPublishPacket, Packet } from 'mqtt-packet';
import { DurableClient, type DurableClientOptions } from './durable-client.js';

export interface DurableSubscriberOptions extends DurableClientOptions {
  readonly topicFilters: readonly string[];
}

interface TopicRecord {
  readonly counts: Map<number, number>;
  highest: number;
}

/**
 * Receives numbered messages, acknowledges them, and keeps the receiver's half of the QoS 2 state
 * across reconnects. It remembers how often each number came, and in which order.
 */
export class DurableSubscriber extends DurableClient {
  subscribed = false;
  received = 0;
  duplicatesQoS1 = 0;
  duplicatesQoS2 = 0;
  /** Numbers that came for the first time after a higher one of their topic. */
  outOfOrder = 0;

  readonly #topicFilters: readonly string[];
  readonly #records = new Map<string, TopicRecord>();
  readonly #awaitingRelease = new Set<number>();

  constructor(options: DurableSubscriberOptions) {
    super(options);
    this.#topicFilters = options.topicFilters;
  }

  /** The numbers below `count` that never came on this topic. */
  missing(topic: string, count: number): number[] {
    const counts = this.#records.get(topic)?.counts;
    const missing: number[] = [];
    for (let sequence = 0; sequence < count; sequence++) {
      if (counts?.has(sequence) !== true) missing.push(sequence);
    }
    return missing;
  }

  distinct(topic: string): number {
    return this.#records.get(topic)?.counts.size ?? 0;
  }

  protected resume(sessionPresent: boolean): void {
    if (sessionPresent && this.subscribed) return;
    this.#awaitingRelease.clear();
    const subscriptions = this.#topicFilters.map((topic) => ({ topic, qos: 2 as const }));
    this.send({ cmd: 'subscribe', messageId: 1, subscriptions });
  }

  protected handle(packet: Packet): void {
    const identifier = packet.messageId ?? 0;
    if (packet.cmd === 'suback') {
      this.subscribed = true;
      this.establish();
    } else if (packet.cmd === 'publish' && packet.qos === 1) {
      this.#record(packet);
      this.send({ cmd: 'puback', messageId: identifier });
    } else if (packet.cmd === 'publish' && packet.qos === 2) {
      if (!this.#awaitingRelease.has(identifier)) this.#record(packet);
      this.#awaitingRelease.add(identifier);
      this.send({ cmd: 'pubrec', messageId: identifier });
    } else if (packet.cmd === 'pubrel') {
      this.#awaitingRelease.delete(identifier);
      this.send({ cmd: 'pubcomp', messageId: identifier });
    }
  }

  #record(packet: IPublishPacket): void {
    const sequence = Buffer.from(packet.payload).readUInt32BE(0);
    let record = this.#records.get(packet.topic);
    if (record === undefined) {
      record = { counts: new Map(), highest: -1 };
      this.#records.set(packet.topic, record);
    }
    const before = record.counts.get(sequence) ?? 0;
    record.counts.set(sequence, before + 1);
    this.received++;
    if (before > 0 && packet.qos === 1) this.duplicatesQoS1++;
    if (before > 0 && packet.qos === 2) this.duplicatesQoS2++;
    if (before === 0 && sequence < record.highest) this.outOfOrder++;
    record.highest = Math.max(record.highest, sequence);
  }
}
