import type { Clock } from '../../base/clock.js';
import { utf8Bytes } from '../../base/utf8.js';
import type { Device } from '../../session/device.js';
import { isTopicName, type TopicLimits } from '../../topic/topic-name.js';
import { ApplicationMessage, NEVER_EXPIRES } from '../../wire/application-message.js';
import type { PublishPath } from '../publish-path.js';
import type { RetainedMessages } from '../retained.js';
import type { DeviceOptions } from './device-options.js';
import { healthOf, type Service } from './health.js';

/** So many clients have a topic at a time; the others are in the API. */
const TOPICS_MAX = 1000;
const NO_PROPERTIES = new Uint8Array(0);

/**
 * The health of clients as retained topics, `$SYS/broker/clients/{client}/health`: JSON, kept in
 * memory alone, for those that something stands out of, or for all.
 */
export class HealthTopics {
  readonly #isForAll: boolean;
  readonly #clock: Clock;
  readonly #limits: TopicLimits;
  readonly #publishPath: PublishPath;
  readonly #retained: RetainedMessages;
  readonly #serviceOf: (device: Device) => Service | undefined;
  /** What was published last, by topic. */
  readonly #published = new Map<string, string>();

  constructor(parts: {
    readonly options: DeviceOptions;
    readonly clock: Clock;
    readonly limits: TopicLimits;
    readonly publishPath: PublishPath;
    readonly retained: RetainedMessages;
    readonly serviceOf: (device: Device) => Service | undefined;
  }) {
    this.#isForAll = parts.options.healthTopics === 'all';
    this.#clock = parts.clock;
    this.#limits = parts.limits;
    this.#publishPath = parts.publishPath;
    this.#retained = parts.retained;
    this.#serviceOf = parts.serviceOf;
  }

  /** Publishes the device's health where it is another than before. */
  changed(device: Device): void {
    const topicName = topicOf(device);
    const known = this.#published.get(topicName);
    const health = healthOf(device, this.#serviceOf(device), this.#clock.wallMs());
    const isNew = known === undefined;
    if (isNew && health.score === 100 && !this.#isForAll) return;
    if (isNew && (this.#published.size >= TOPICS_MAX || !isTopicName(topicName, this.#limits))) {
      return;
    }
    const text = JSON.stringify(health);
    if (text === known) return;
    this.#published.set(topicName, text);
    this.#retained.restore(messageOf(topicName, text, true));
    this.#publishPath.publishMessage(messageOf(topicName, text, false), undefined);
  }

  forgotten(device: Device): void {
    const topicName = topicOf(device);
    if (this.#published.delete(topicName)) this.#retained.remove(topicName);
  }
}

function messageOf(topicName: string, text: string, retain: boolean): ApplicationMessage {
  return new ApplicationMessage(
    topicName,
    utf8Bytes(topicName),
    utf8Bytes(text),
    NO_PROPERTIES,
    0,
    retain,
    NEVER_EXPIRES,
    '',
  );
}

function topicOf({ clientIdentifier }: Device): string {
  return `$SYS/broker/clients/${clientIdentifier.replaceAll(/[+#/]/g, '_')}/health`;
}
