import { generate } from 'mqtt-packet';
import { expect, test } from 'vitest';
import { AckWatch } from '../../../firmware-sim/scenario/ack-watch.js';
import { WireWatch } from '../../../firmware-sim/scenario/wire-watch.js';

function publish(payload: string, dup = false, messageId = 1, qos: 1 | 2 = 1): Buffer {
  return generate({ cmd: 'publish', topic: 't', payload, qos, messageId, dup, retain: false });
}

test('what is sent again is counted, with and without DUP, also across connections', () => {
  const watch = new WireWatch(4);
  watch.data(publish('s 0 1.0 '));
  watch.data(publish('s 1 1.0 ').subarray(0, 5));
  watch.closed();
  watch.data(publish('s 0 1.0 ', true));
  watch.data(publish('s 1 1.0 '));
  watch.data(publish('s 1 1.0 '));
  expect(watch).toMatchObject({ publishes: 4, repeated: 2, repeatedWithoutDup: 1, ends: 1 });
  expect(watch.repeatedBytes).toBe(2 * publish('s 0 1.0 ').length);
});

test('acknowledgements must come as the messages came', () => {
  const answered = (...identifiers: number[]) => {
    const watch = new AckWatch();
    for (const id of [1, 2, 1]) watch.trace(0, 'up', 'out', publish('x', false, id));
    for (const messageId of identifiers) {
      watch.trace(0, 'down', 'in', generate({ cmd: 'puback', messageId }));
    }
    return watch.inOrder;
  };
  expect(answered(1, 2, 1)).toBe(true);
  expect(answered(2, 1, 1)).toBe(false);
  expect(answered(1, 2)).toBe(false);
});
