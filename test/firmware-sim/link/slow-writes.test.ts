import { expect, test } from 'vitest';
import { slowWrites } from '../../../firmware-sim/link/slow-writes.js';
import { FarEnd } from '../support/far-end.js';
import { VirtualClock } from '../support/virtual-clock.js';

function open() {
  const clock = new VirtualClock();
  const far = new FarEnd();
  const got: string[] = [];
  const line = slowWrites(
    far.dial,
    clock,
    100,
  )({
    opened: () => got.push('opened'),
    data: (bytes) => got.push(bytes.toString()),
    closed: (reset) => got.push(reset ? 'reset' : 'closed'),
  });
  return { clock, far, got, line };
}

test('each write leaves at the end of an exchange of its own', () => {
  const { clock, far, line } = open();
  line.write(Buffer.from('one'));
  line.write(Buffer.from('two'));
  clock.advance(99);
  expect(far.text).toBe('');
  clock.advance(1);
  expect(far.text).toBe('one');
  clock.advance(100);
  expect(far.text).toBe('onetwo');
  line.write(Buffer.from('three'));
  line.end();
  clock.advance(150);
  expect([far.text, far.ended]).toEqual(['onetwothree', false]);
  clock.advance(50);
  expect(far.ended).toBe(true);
});

test('what comes is not kept waiting', () => {
  const { far, got } = open();
  far.send('answer');
  far.close(false);
  expect(got).toEqual(['opened', 'answer', 'closed']);
});

test.each(['reset', 'closed'])('nothing leaves after it is %s', (how) => {
  const { clock, far, line } = open();
  line.write(Buffer.from('late'));
  if (how === 'reset') line.reset();
  else far.close(false);
  clock.advance(1_000);
  expect(far.text).toBe('');
});
