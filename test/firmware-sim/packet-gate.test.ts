import { generate } from 'mqtt-packet';
import { expect, test } from 'vitest';
import { gatedDial, type PacketMoment } from '../../firmware-sim/device/packet-gate.js';
import type { LineEvents } from '../../firmware-sim/link/line.js';

const publish = generate({
  cmd: 'publish',
  topic: 'a',
  payload: 'x',
  qos: 2,
  messageId: 1,
  dup: false,
  retain: false,
});
const pubrec = generate({ cmd: 'pubrec', messageId: 1 });
const pubrel = generate({ cmd: 'pubrel', messageId: 1 });

function gated(strike: (moment: PacketMoment) => boolean) {
  const [toBroker, toDevice]: [Buffer[], Buffer[]] = [[], []];
  let far: LineEvents | undefined;
  const dial = gatedDial((events) => {
    far = events;
    return {
      localPort: undefined,
      write: (bytes) => toBroker.push(bytes),
      end() {},
      reset() {},
      pause() {},
      resume() {},
    };
  }, strike);
  const line = dial({ opened() {}, closed() {}, data: (bytes) => toDevice.push(bytes) });
  return { line, toBroker, toDevice, receive: (bytes: Buffer) => far!.data(bytes) };
}

test('packets pass whole until the moment has come, and none after it', () => {
  const moments: string[] = [];
  const { line, toBroker, toDevice, receive } = gated(({ way, when, type }) => {
    moments.push(`${way} ${when} ${type}`);
    return way === 'received' && when === 'before' && type === 6;
  });
  receive(publish.subarray(0, 3));
  expect(toDevice).toEqual([]);
  receive(Buffer.concat([publish.subarray(3), pubrel]));
  line.write(pubrec);
  expect(toDevice).toEqual([publish]);
  expect(toBroker).toEqual([]);
  expect(moments).toEqual(['received before 3', 'received after 3', 'received before 6']);
});

test('a packet that is sent may leave before the end, or not', () => {
  const before = gated(({ way, when }) => way === 'sent' && when === 'before');
  before.line.write(pubrec);
  expect(before.toBroker).toEqual([]);
  const after = gated(({ way, when }) => way === 'sent' && when === 'after');
  after.line.write(pubrec);
  after.line.write(pubrec);
  expect(after.toBroker).toEqual([pubrec]);
});
