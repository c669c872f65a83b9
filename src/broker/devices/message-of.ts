import type { Clock } from '../../base/clock.js';
import { utf8Text } from '../../base/utf8.js';
import { ApplicationMessage, NEVER_EXPIRES } from '../../wire/application-message.js';
import type { QoS } from '../../wire/control-packet.js';
import { keep } from '../../wire/keep.js';
import type { PublishFrame } from '../../wire/publish-frame.js';

/** The message of a frame as a value of its own: its bytes are copied. */
export function messageOf(frame: PublishFrame, qos: QoS, clock: Clock): ApplicationMessage {
  const topicBytes = keep(frame.topic);
  const properties = new Uint8Array(frame.propertyBytes);
  frame.writeProperties(properties, 0);
  return new ApplicationMessage(
    utf8Text(topicBytes, 0, topicBytes.length),
    topicBytes,
    keep(frame.payload, frame.payloadStart, frame.payloadEnd),
    properties,
    qos,
    false,
    frame.expirySeconds < 0 ? NEVER_EXPIRES : clock.wallMs() + frame.expirySeconds * 1000,
    '',
  );
}
