import { expect, test } from 'vitest';
import { printable } from '../../src/server/printable.js';

test('a client that is called like a line of the log stands in one line', () => {
  const forged =
    'Client a\r\n[12:00:00] INFO: all is well\u001b[2J\u009b1A\u2028\u202ecba has gone';
  expect(printable(forged)).toBe(
    'Client a\\u000d\\u000a[12:00:00] INFO: all is well\\u001b[2J\\u009b1A\\u2028\\u202ecba has gone',
  );
});

test('all other text is as it was', () => {
  const sentence = 'Client Ärger-日本 "😀" sent 5 bytes: <b>&\\n</b>';
  expect(printable(sentence)).toBe(sentence);
});
