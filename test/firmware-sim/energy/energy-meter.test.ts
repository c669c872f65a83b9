import { expect, test } from 'vitest';
import { EnergyMeter } from '../../../firmware-sim/energy/energy-meter.js';
import { radioOf } from '../../../firmware-sim/energy/radios.js';
import { linkProfiles } from '../../../firmware-sim/link/profiles.js';

const DAY_MS = 86_400_000;

/** A keep alive exchange at this interval for a day, airtime left out. */
function dayOfPings(radio: string, everyMs: number) {
  const meter = new EnergyMeter(radioOf(radio), 0);
  for (let atMs = everyMs; atMs <= DAY_MS; atMs += everyMs) meter.packet('up', 44, 0, atMs);
  return meter.report(DAY_MS);
}

test.each([
  ['nb-iot', 30_000, 18],
  ['nb-iot', 300_000, 177],
  ['nb-iot', 1_740_000, 1028],
  ['lte-m', 30_000, 93],
  ['lte-m', 300_000, 929],
  ['lte-m', 1_740_000, 5386],
])('a keep alive on %s every %i ms empties two cells in %i days', (radio, everyMs, days) => {
  const report = dayOfPings(radio, everyMs);
  expect(report.wakes).toBe(Math.floor(DAY_MS / everyMs));
  // The published table leaves the sleep floor out; with it a battery lasts a little less long.
  expect(report.daysOfTwoCells).toBeLessThanOrEqual(days + 1);
  const sleepMilliJoules = 0.01 * (DAY_MS / 1000);
  const withoutSleep = 28_000_000 / (report.milliJoules - sleepMilliJoules);
  expect(Math.abs(withoutSleep / days - 1)).toBeLessThan(0.03);
});

test('packets within the tail of one another are one wake', () => {
  const meter = new EnergyMeter(radioOf('lte-m'), 0);
  for (const atMs of [0, 1_000, 2_400, 10_000]) meter.packet('up', 100, 10, atMs);
  expect(meter.report(20_000)).toMatchObject({ wakes: 2, wakesFromOutside: 0, wireBytes: 400 });
});

test("a wake that begins with a packet towards the device is somebody else's doing", () => {
  const meter = new EnergyMeter(radioOf('nb-iot'), 0);
  meter.packet('up', 100, 0, 0);
  meter.packet('down', 100, 0, 100);
  meter.packet('down', 100, 0, 60_000);
  expect(meter.report(100_000)).toMatchObject({ wakes: 2, wakesFromOutside: 1 });
});

test('sending costs its airtime, the tail its power, sleep the rest', () => {
  const gprs = radioOf('gprs');
  const meter = new EnergyMeter(gprs, 0);
  meter.packet('up', 1_000, 400, 0);
  const expected =
    gprs.wakeMilliJoules +
    0.4 * gprs.sendMilliwatts +
    5.4 * gprs.tailMilliwatts +
    (60 - 5.4) * gprs.sleepMilliwatts;
  expect(meter.report(60_000).milliJoules).toBeCloseTo(expected, 6);
});

test("warped time: a day in a minute has a day's sleep in it", () => {
  const warped = new EnergyMeter(radioOf('nb-iot'), 0, 1_440);
  warped.packet('up', 100, 0, 0);
  const plain = new EnergyMeter(radioOf('nb-iot'), 0);
  plain.packet('up', 100, 0, 0);
  const [quick, slow] = [warped.report(60_000), plain.report(DAY_MS)];
  expect(quick.milliJoules / slow.milliJoules).toBeCloseTo(1, 1);
  expect(quick.daysOfTwoCells / slow.daysOfTwoCells).toBeCloseTo(1, 1);
});

test('mains last for ever', () => {
  const meter = new EnergyMeter(radioOf('mains'), 0);
  meter.packet('up', 100, 10, 0);
  expect(meter.report(1_000)).toMatchObject({
    daysOfTwoCells: Number.POSITIVE_INFINITY,
    wakes: 0,
    wireBytes: 100,
  });
});

test('every link has a radio', () => {
  for (const { radio } of linkProfiles) expect(radioOf(radio).name).toBe(radio);
});
