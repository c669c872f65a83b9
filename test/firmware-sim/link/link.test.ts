import { expect, test } from 'vitest';
import { seededRandom } from '../../../firmware-sim/base/random.js';
import { Link } from '../../../firmware-sim/link/link.js';
import { type LinkProfile, NO_LIMIT } from '../../../firmware-sim/link/profile.js';
import { byteSplit, linkProfile, linkProfiles } from '../../../firmware-sim/link/profiles.js';
import { FarEnd } from '../support/far-end.js';
import { VirtualClock } from '../support/virtual-clock.js';

const steady: LinkProfile = {
  ...NO_LIMIT,
  name: 'steady',
  upBytesPerSecond: 1_000,
  downBytesPerSecond: 500,
  latencyMs: 100,
  segmentBytes: 10,
  headerBytes: 0,
};

function start(profile: LinkProfile, seed = 1) {
  const clock = new VirtualClock();
  const far = new FarEnd();
  const trace: string[] = [];
  const link = new Link({
    clock,
    random: seededRandom(seed, 'link'),
    profile,
    dial: far.dial,
    trace: (atMs, way, what, bytes) =>
      trace.push(`${Math.round(atMs)} ${way} ${what} ${bytes.length}`),
  });
  const seen: string[] = [];
  const line = link.dial({
    opened: () => seen.push('opened'),
    data: (bytes) => seen.push(bytes.toString()),
    closed: (reset) => seen.push(reset ? 'reset' : 'closed'),
  });
  return { clock, far, link, line, seen, trace };
}

test('a connection opens after a round trip', () => {
  const { clock, seen } = start(steady);
  clock.advance(199);
  expect(seen).toEqual([]);
  clock.advance(1);
  expect(seen).toEqual(['opened']);
});

test('the broker has a connection when the handshake has crossed the link, or never', () => {
  const { clock, far } = start(steady);
  clock.advance(199);
  expect(far.dials).toBe(0);
  clock.advance(1);
  expect(far.dials).toBe(1);
  for (const give of ['end', 'reset'] as const) {
    const impatient = start(steady);
    clock.advance(100);
    impatient.line[give]();
    impatient.clock.advance(1_000);
    expect([impatient.far.dials, impatient.link.open]).toEqual([0, 0]);
  }
  const broken = start(steady);
  broken.link.reset();
  broken.clock.advance(1_000);
  expect([broken.far.dials, broken.link.open, broken.seen]).toEqual([0, 0, ['reset']]);
});

test('bytes leave at the rate of their direction, in segments, as late as the link is long', () => {
  const { clock, far, line, seen, trace } = start(steady);
  clock.advance(200);
  line.write(Buffer.from('a'.repeat(25)));
  far.send('b'.repeat(25));
  clock.advance(500);
  expect(far.written.map(({ length }) => length)).toEqual([10, 10, 5]);
  expect(seen.slice(1).map(({ length }) => length)).toEqual([10, 10, 5]);
  // 10 bytes take 10 ms up and 20 ms down, and then 100 ms.
  expect(trace).toEqual([
    '200 up in 25',
    '200 down in 25',
    '310 up out 10',
    '320 down out 10',
    '320 up out 10',
    '325 up out 5',
    '340 down out 10',
    '350 down out 5',
  ]);
});

test('headers cost time and are counted, with handshake and acknowledgements', () => {
  const { clock, line, link, trace } = start({ ...steady, headerBytes: 40 });
  clock.advance(200);
  line.write(Buffer.from('x'.repeat(10)));
  clock.advance(1_000);
  expect(trace.at(-1)).toBe('350 up out 10');
  // SYN, its answer, ACK; the segment and its ACK.
  expect(link.usage).toMatchObject({ wireBytesUp: 80 + 50, wireBytesDown: 40 + 40 });
});

test('what waits towards the device is joined to full segments, its own writes are not', () => {
  const { clock, far, line, seen } = start(steady);
  clock.advance(200);
  for (let i = 0; i < 4; i++) {
    far.send('123456');
    line.write(Buffer.from('abc'));
  }
  clock.advance(1_000);
  expect(seen.slice(1).map(({ length }) => length)).toEqual([6, 10, 8]);
  expect(far.written.map(({ length }) => length)).toEqual([3, 3, 3, 3]);
});

test('a window lets no more bytes under way than it has room', () => {
  const profile = { ...steady, downBytesPerSecond: Number.POSITIVE_INFINITY, windowBytes: 15 };
  const { clock, far, trace } = start(profile);
  clock.advance(200);
  far.send('x'.repeat(40));
  clock.advance(2_000);
  expect(trace.filter((line) => line.includes('down out'))).toEqual([
    '300 down out 10',
    '300 down out 5',
    '500 down out 10',
    '500 down out 5',
    '700 down out 10',
  ]);
});

test('jitter is the same for the same seed, another for another, and never reorders', () => {
  const jittery = { ...steady, jitterMs: 500 };
  const run = (seed: number) => {
    const { clock, line, far, trace } = start(jittery, seed);
    clock.advance(1_000);
    for (let i = 0; i < 20; i++) line.write(Buffer.from(String.fromCharCode(97 + i)));
    clock.advance(5_000);
    expect(far.text).toBe('abcdefghijklmnopqrst');
    return trace.join();
  };
  expect(run(1)).toBe(run(1));
  expect(run(1)).not.toBe(run(2));
});

test('nothing moves during a stall', () => {
  const { clock, line, trace } = start({ ...steady, stall: { everyMs: 1_000, forMs: 600 } });
  clock.advance(450);
  line.write(Buffer.from('x'));
  clock.advance(600);
  expect(trace.filter((entry) => entry.includes('out'))).toEqual([]);
  clock.advance(100);
  expect(trace.at(-1)).toBe('1100 up out 1');
});

test('the end follows the last byte, in both directions', () => {
  const up = start(steady);
  up.clock.advance(200);
  up.line.write(Buffer.from('bye'));
  up.line.end();
  expect(up.far.ended).toBe(false);
  up.clock.advance(200);
  expect([up.far.text, up.far.ended]).toEqual(['bye', true]);
  const down = start(steady);
  down.clock.advance(200);
  down.far.send('bye');
  down.far.close(false);
  down.clock.advance(500);
  expect(down.seen).toEqual(['opened', 'bye', 'closed']);
});

test('a reset takes with it what is under way', () => {
  const { clock, far, line, link, seen } = start(steady);
  clock.advance(200);
  line.write(Buffer.from('lost'));
  far.send('lost');
  link.reset();
  expect(seen).toEqual(['opened', 'reset']);
  expect(far.wasReset).toBe(true);
  clock.advance(1_000);
  expect([far.text, seen.length]).toEqual(['', 2]);
});

test('half open: both ends hear nothing and believe in the connection', () => {
  const { clock, far, line, link, seen } = start(steady);
  clock.advance(200);
  link.halfOpen();
  line.write(Buffer.from('x'));
  far.send('x');
  clock.advance(5_000);
  far.close(true);
  expect([far.text, far.ended, far.wasReset]).toEqual(['', false, false]);
  expect(seen).toEqual(['opened']);
});

test('a black hole swallows the next connection as well', () => {
  const { clock, link } = start(steady);
  link.blackHole(true);
  let opened = 0;
  const events = { opened: () => opened++, data: () => {}, closed: () => {} };
  link.dial(events);
  clock.advance(5_000);
  expect(opened).toBe(0);
  link.blackHole(false);
  link.dial(events);
  clock.advance(5_000);
  expect(opened).toBe(1);
});

test('a full link stops reading from the broker until there is room', () => {
  const { clock, far } = start(steady);
  clock.advance(200);
  far.send(Buffer.alloc(100_000));
  expect(far.paused).toBe(true);
  clock.advance(180_000);
  expect(far.paused).toBe(false);
});

test('a device that stops reading stops the broker', () => {
  const { clock, far, link } = start(steady);
  clock.advance(200);
  link.stopReading();
  expect(far.paused).toBe(true);
  link.resumeReading();
  expect(far.paused).toBe(false);
});

test('byte by byte each segment has one byte, and a link takes as long as it did', () => {
  const gprs = linkProfile('gprs');
  const split = byteSplit(gprs);
  expect(split.segmentBytes).toBe(1);
  expect(536 * (1 + split.headerBytes)).toBeCloseTo(536 + gprs.headerBytes);
});

test('every profile names its source, and no two have one name', () => {
  expect(new Set(linkProfiles.map(({ name }) => name)).size).toBe(linkProfiles.length);
  expect(linkProfiles.filter(({ source }) => source.length < 10)).toEqual([]);
  expect(() => linkProfile('carrier-pigeon')).toThrow(/there is no link profile carrier-pigeon/);
});
