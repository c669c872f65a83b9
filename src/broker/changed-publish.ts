import type { Clock } from '../base/clock.js';
import { utf8Bytes } from '../base/utf8.js';
import type { Session } from '../session/session.js';
import type { Topic } from '../session/topic.js';
import { ApplicationMessage, NEVER_EXPIRES } from '../wire/application-message.js';
import { forwardedProperties } from '../wire/decode-publish.js';
import { keep } from '../wire/keep.js';
import type { Publish } from '../wire/publish.js';
import type { IncomingMessage } from './hooks.js';

/** A PUBLISH as hooks see it, and what becomes of one that they rewrote. */
export class ChangedPublish {
  message(publish: Publish, topic: Topic): IncomingMessage {
    const { qos, retain } = publish;
    const payload = keep(publish.bytes, publish.payloadStart, publish.packetEnd);
    return { topicName: topic.name, qos, retain, payload };
  }

  rewritten(
    publish: Publish,
    changed: IncomingMessage,
    session: Session,
    clock: Clock,
  ): ApplicationMessage {
    const seconds = publish.messageExpiryIntervalSeconds;
    return new ApplicationMessage(
      changed.topicName,
      utf8Bytes(changed.topicName),
      changed.payload,
      forwardedProperties(publish),
      changed.qos,
      changed.retain,
      seconds < 0 ? NEVER_EXPIRES : clock.wallMs() + seconds * 1000,
      session.clientIdentifier,
    );
  }
}
