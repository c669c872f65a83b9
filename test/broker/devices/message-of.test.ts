import { expect, test } from 'vitest';
import { messageOf } from '../../../src/broker/devices/message-of.js';
import { ApplicationMessage, NEVER_EXPIRES } from '../../../src/wire/application-message.js';
import { PublishFrame } from '../../../src/wire/publish-frame.js';

test('a message stays what it was when the bytes that it came in are used again', () => {
  // As a transport gives them, whose views are views even where a copy is asked for by `slice`.
  const topic = Buffer.from('a/b');
  const payload = Buffer.from('payload');
  const frame = new PublishFrame();
  const sent = new ApplicationMessage(
    'a/b',
    topic,
    payload,
    new Uint8Array(0),
    1,
    false,
    NEVER_EXPIRES,
    '',
  );
  frame.fromMessage(sent, 0);
  const message = messageOf(frame, 1, { nowMs: 0, wallMs: () => 0 });
  topic.fill(0);
  payload.fill(0);
  expect(message.topicName).toBe('a/b');
  expect(Buffer.from(message.topicBytes).toString()).toBe('a/b');
  expect(Buffer.from(message.payload).toString()).toBe('payload');
});
