import { expect, test } from 'vitest';
import { transparentModem } from '../../../firmware-sim/link/transparent-modem.js';
import { FarEnd } from '../support/far-end.js';
import { VirtualClock } from '../support/virtual-clock.js';

function start() {
  const clock = new VirtualClock();
  const far = new FarEnd();
  const modem = transparentModem(far.dial, clock);
  const seen: string[] = [];
  const plugIn = () =>
    modem.dial({
      opened: () => seen.push('opened'),
      data: (bytes) => seen.push(bytes.toString()),
      closed: () => seen.push('closed'),
    });
  return { clock, far, modem, seen, plugIn };
}

test('it dials when the device speaks, and keeps its connection when the device starts again', () => {
  const { clock, far, modem, seen, plugIn } = start();
  const line = plugIn();
  clock.advance(1);
  expect([seen, modem.dials]).toEqual([['opened'], 0]);
  line.write(Buffer.from('one'));
  line.write(Buffer.from(' two'));
  clock.advance(1);
  far.send('answer');
  line.reset();
  far.send('to nobody');
  plugIn().write(Buffer.from(' three'));
  clock.advance(1);
  expect([far.text, far.ended, far.wasReset, modem.dials]).toEqual([
    'one two three',
    false,
    false,
    1,
  ]);
  expect(seen).toEqual(['opened', 'answer', 'opened']);
});

test('the device learns of no end, and is connected again by what it says next', () => {
  const { clock, far, modem, seen, plugIn } = start();
  const line = plugIn();
  line.write(Buffer.from('one'));
  clock.advance(1);
  far.close(false);
  line.write(Buffer.from('two'));
  clock.advance(1);
  expect([seen, modem.dials]).toEqual([['opened'], 2]);
  modem.cut();
  expect(far.wasReset).toBe(true);
  line.write(Buffer.from('three'));
  clock.advance(1);
  expect([far.text, modem.dials]).toEqual(['onetwothree', 3]);
});
