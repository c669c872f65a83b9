import type { Clock } from '../base/clock.js';
import { utf8Bytes } from '../base/utf8.js';
import type { Session } from '../session/session.js';
import { ApplicationMessage, NEVER_EXPIRES } from '../wire/application-message.js';
import type { WillMessage } from '../wire/control-packet.js';

/** The Application Message of a will, published now. [MQTT-3.1.2-8] */
export function willApplicationMessage(
  will: WillMessage,
  session: Session,
  clock: Clock,
): ApplicationMessage {
  const seconds = will.messageExpiryIntervalSeconds;
  return new ApplicationMessage(
    will.topicName,
    utf8Bytes(will.topicName),
    will.payload,
    will.forwardedProperties,
    will.qos,
    will.retain,
    seconds === undefined ? NEVER_EXPIRES : clock.wallMs() + seconds * 1000,
    session.clientIdentifier,
  );
}
