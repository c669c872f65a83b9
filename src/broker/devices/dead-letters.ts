import type { Clock, EndOfTick, TickTask } from '../../base/clock.js';
import { utf8Bytes } from '../../base/utf8.js';
import type { Session } from '../../session/session.js';
import { isTopicName, type TopicLimits } from '../../topic/topic-name.js';
import { ApplicationMessage, NEVER_EXPIRES } from '../../wire/application-message.js';
import { encodeForwardedProperties } from '../../wire/forwarded-properties.js';
import type { PublishPath } from '../publish-path.js';
import type { DeviceOptions } from './device-options.js';

/** Where the pattern makes no Topic Name. */
const LAST_RESORT = '$dead-letter';

/** A message that is taken out of a client's way. */
export interface DeadLetter {
  readonly session: Session;
  readonly message: ApplicationMessage;
  /** In plain words. */
  readonly reason: string;
  /** Of the PUBLISH packet that the client did not take. */
  readonly packetBytes: number;
}

/**
 * Publishes messages that a client cannot take to the dead-letter topic: payload and properties as
 * they were, with User Properties that say why.
 */
export class DeadLetters implements TickTask {
  readonly #options: DeviceOptions;
  readonly #limits: TopicLimits;
  readonly #clock: Clock;
  readonly #endOfTick: EndOfTick;
  readonly #publishPath: PublishPath;
  /** What stands around `{client}` and `{topic}`. */
  readonly #literals: readonly string[];
  #later: DeadLetter[] = [];

  constructor(parts: {
    readonly options: DeviceOptions;
    readonly limits: TopicLimits;
    readonly clock: Clock;
    readonly endOfTick: EndOfTick;
    readonly publishPath: PublishPath;
  }) {
    this.#options = parts.options;
    this.#limits = parts.limits;
    this.#clock = parts.clock;
    this.#endOfTick = parts.endOfTick;
    this.#publishPath = parts.publishPath;
    this.#literals = parts.options.deadLetterTopic.split(/\{client\}|\{topic\}/);
  }

  /** Where messages of this topic go for this client. */
  topicFor(clientIdentifier: string, topicName: string): string {
    const client = clientIdentifier.replaceAll(/[+#/]/g, '_');
    const topic = this.#options.deadLetterTopic
      .replaceAll('{client}', () => client)
      .replaceAll('{topic}', () => topicName);
    return isTopicName(topic, this.#limits) ? topic : LAST_RESORT;
  }

  /** In the batch that is open, so that nothing is lost between removal and dead letter. */
  publish({ session, message, reason, packetBytes }: DeadLetter): void {
    // One that is a dead letter already has nowhere to go.
    if (this.#mayBeDeadLetter(message.topicName)) return;
    const { clientIdentifier } = session;
    const topicName = this.topicFor(clientIdentifier, message.topicName);
    const { deadLetterSeconds } = this.#options;
    const letter = new ApplicationMessage(
      topicName,
      utf8Bytes(topicName),
      message.payload,
      withProperties(message.properties, [
        ['client', clientIdentifier],
        ['topic', message.topicName],
        ['reason', reason],
        ['packet_bytes', String(packetBytes)],
      ]),
      message.qos,
      deadLetterSeconds > 0,
      deadLetterSeconds > 0 ? this.#clock.wallMs() + deadLetterSeconds * 1000 : NEVER_EXPIRES,
      '',
    );
    this.#publishPath.publishMessage(letter, session);
  }

  /** Whether the name has all literal parts of the pattern in order, however it begins. */
  #mayBeDeadLetter(topicName: string): boolean {
    if (topicName === LAST_RESORT) return true;
    const last = this.#literals.length - 1;
    let at = 0;
    for (const [i, literal] of this.#literals.entries()) {
      const found = i === last ? topicName.length - literal.length : topicName.indexOf(literal, at);
      if (found < at || (i === 0 && found > 0)) return false;
      if (i === last && !topicName.endsWith(literal)) return false;
      at = found + literal.length;
    }
    return true;
  }

  /** At the end of the tick: a message is being published just now. */
  publishLater(letter: DeadLetter): void {
    if (this.#later.length === 0) this.#endOfTick.commit(this);
    this.#later.push(letter);
  }

  endOfTick(): void {
    const letters = this.#later;
    this.#later = [];
    for (const letter of letters) this.publish(letter);
  }
}

function withProperties(
  properties: Uint8Array,
  userProperties: readonly (readonly [string, string])[],
): Uint8Array {
  const added = encodeForwardedProperties({ userProperties });
  const all = new Uint8Array(properties.length + added.length);
  all.set(properties);
  all.set(added, properties.length);
  return all;
}
