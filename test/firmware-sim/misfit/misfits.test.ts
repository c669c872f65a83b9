import { generate, type Packet, parser } from 'mqtt-packet';
import { expect, test } from 'vitest';
import { playMisfit } from '../../../firmware-sim/misfit/misfit.js';
import { misfits } from '../../../firmware-sim/misfit/misfits.js';
import { FarEnd } from '../support/far-end.js';
import { VirtualClock } from '../support/virtual-clock.js';

const CONNACK = generate({ cmd: 'connack', returnCode: 0, sessionPresent: false });

function play(name: string) {
  const misfit = misfits.find((one) => one.name === name);
  if (misfit === undefined) throw new Error(`there is no misfit ${name}`);
  const clock = new VirtualClock();
  const far = new FarEnd();
  const run = playMisfit(misfit, 'bad', far.dial, clock);
  clock.advance(1);
  const accepted = () => {
    far.send(CONNACK);
    return packetsOf(far.written);
  };
  return { misfit, clock, far, run, accepted };
}

/** Whole packets alone; garbage throws. */
function packetsOf(written: readonly Buffer[]): Packet[] {
  const packets: Packet[] = [];
  const reader = parser({ protocolVersion: 4 });
  reader.on('packet', (packet) => packets.push(packet));
  reader.on('error', (error) => {
    throw error;
  });
  reader.parse(Buffer.concat(written));
  return packets;
}

function namesOf(written: readonly Buffer[]): string[] {
  return packetsOf(written).map(({ cmd }) => cmd);
}

test('each has a name of its own and says what it does', () => {
  expect(new Set(misfits.map(({ name }) => name)).size).toBe(misfits.length);
  for (const { does } of misfits) expect(does).toMatch(/^\w.*[^.]$/);
});

test.each(misfits)('$name comes back, and stops when it is told', ({ name, againMs }) => {
  const { clock, far, run } = play(name);
  expect([run.attempts, far.dials]).toEqual([1, 1]);
  far.close(false);
  clock.advance(againMs);
  expect([run.attempts, far.dials]).toEqual([2, 2]);
  run.stop();
  expect(far.wasReset).toBe(true);
  far.close(true);
  clock.advance(10_000_000);
  expect(far.dials).toBe(2);
});

test('storm is gone as soon as it is accepted', () => {
  const { far, accepted } = play('storm');
  expect(namesOf(far.written)).toEqual(['connect']);
  accepted();
  expect(far.wasReset).toBe(true);
});

test('slowloris sends a byte every two seconds, silent none', () => {
  const { clock, far } = play('slowloris');
  clock.advance(20_000);
  expect(far.written.map(({ length }) => length)).toEqual(Array(11).fill(1));
  const silent = play('silent');
  silent.clock.advance(100_000);
  expect(silent.far.written).toEqual([]);
});

test('the largest length is announced, and its bytes drip', () => {
  const { clock, far, accepted } = play('announces-268-megabytes');
  accepted();
  clock.advance(3_000);
  const [, head, ...rest] = far.written;
  expect([...head!]).toEqual([0x30, 0xff, 0xff, 0xff, 0x7f]);
  expect(rest.map(({ length }) => length)).toEqual([1_000, 1_000, 1_000, 1_000]);
});

test('the longest topic is one', () => {
  const { accepted } = play('longest-topic');
  expect(accepted()[1]).toMatchObject({ cmd: 'publish', topic: '/'.repeat(65_535) });
});

test('half a packet is none, and no PINGREQ follows', () => {
  const { clock, far, accepted } = play('half-a-packet');
  expect(accepted()).toMatchObject([{ cmd: 'connect', keepalive: 4 }]);
  clock.advance(60_000);
  expect(far.written[1]!.length).toBeLessThan(2 + far.written[1]![1]!);
  expect(far.written.length).toBe(2);
});

test('a keep alive is promised and not kept', () => {
  const { clock, far } = play('keep-alive-cheater');
  clock.advance(60_000);
  expect(packetsOf(far.written)).toMatchObject([{ cmd: 'connect', keepalive: 2 }]);
});

test('packets that come too early or twice', () => {
  expect(play('second-connect').accepted()).toMatchObject([{ cmd: 'connect' }, { cmd: 'connect' }]);
  expect(namesOf(play('publish-first').far.written)).toEqual(['publish']);
  expect(play('garbage').far.text).toMatch(/^GET \/ HTTP/);
});

test('a keep alive is stretched to its end, or there is none', () => {
  const late = play('late-pinger');
  late.accepted();
  late.clock.advance(5_900);
  expect(namesOf(late.far.written)).toEqual(['connect']);
  late.clock.advance(6_100);
  expect(namesOf(late.far.written)).toEqual(['connect', 'pingreq', 'pingreq']);
  const vanishes = play('vanishes');
  vanishes.accepted();
  vanishes.clock.advance(10_000_000);
  expect(packetsOf(vanishes.far.written)).toMatchObject([{ cmd: 'connect', keepalive: 0 }]);
  expect(vanishes.far.wasReset).toBe(false);
});

test('nobody waits for CONNACK, nobody has a name', () => {
  expect(namesOf(play('hasty').far.written)).toEqual(['connect', 'subscribe', 'publish']);
  const [connect] = play('empty-identifier').far.written;
  expect(connect!.subarray(8).toString('hex')).toBe('040000000000');
});

test('the same wrong password each time', () => {
  const { far, clock, misfit } = play('wrong-password');
  const first = packetsOf(far.written)[0];
  expect(first).toMatchObject({
    cmd: 'connect',
    username: 'admin',
    password: Buffer.from('guess'),
  });
  far.close(false);
  clock.advance(misfit.againMs + 1);
  expect(packetsOf(far.written)[1]).toEqual(first);
});

test('orphans ask for a session under another name each time', () => {
  const { far, clock, misfit } = play('orphans');
  clock.advance(2_000);
  expect(far.wasReset).toBe(true);
  far.close(true);
  clock.advance(misfit.againMs + 1);
  const connects = packetsOf(far.written).filter((packet) => packet.cmd === 'connect');
  expect(connects).toMatchObject([{ clean: false }, { clean: false }]);
  expect(connects[0]!.clientId).not.toBe(connects[1]!.clientId);
  for (let i = 0; i < 38; i++) {
    clock.advance(2_000);
    far.close(true);
    clock.advance(misfit.againMs + 1);
  }
  const all = packetsOf(far.written).filter((packet) => packet.cmd === 'connect');
  expect(all).toHaveLength(40);
  expect(new Set(all.map(({ clientId }) => clientId)).size).toBe(20);
});

test('acknowledgements of what never came', () => {
  const { clock, far, accepted } = play('unknown-acknowledgements');
  accepted();
  clock.advance(400);
  const names = namesOf(far.written).slice(1);
  expect(names).toEqual(['puback', 'pubcomp', 'puback', 'pubcomp', 'puback', 'pubcomp']);
});

test('stale bytes follow a whole packet that went out in two writes', () => {
  const { far, accepted } = play('stale-bytes');
  far.send(CONNACK);
  const [connect, first, second] = far.written;
  const packetBytes = 2 + first![1]!;
  expect(first!.length + second!.length).toBe(packetBytes + first!.length);
  const whole = Buffer.concat([first!, second!]).subarray(0, packetBytes);
  expect(packetsOf([whole])).toMatchObject([{ cmd: 'publish', topic: 'bad/reading', qos: 1 }]);
  const stale = second!.subarray(packetBytes - first!.length);
  expect(connect!.includes(stale)).toBe(true);
  expect(accepted).toThrow();
});
