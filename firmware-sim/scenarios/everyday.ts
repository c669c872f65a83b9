import { playGpsTrackers } from '../archetype/gps-tracker.js';
import { playMainsPlugs } from '../archetype/mains-plug.js';
import { playOtaDownloads } from '../archetype/ota-download.js';
import { playSerialMeters } from '../archetype/serial-meter.js';
import { playSleepSensors } from '../archetype/sleep-sensor.js';
import type { Outcome, Scenario } from '../scenario/scenario.js';

export const everyday: Scenario = {
  number: 14,
  name: 'everyday',
  about:
    'sensors that sleep, plugs, firmware updates, trackers in tunnels, meters behind modems, all at once',
  telling: (found) => {
    const right = found.shown('updates: whole, with the right hash');
    const lost = found.shown('trackers: positions lost');
    return `${right} updates with the right hash, ${lost} positions lost`;
  },
  async run(world): Promise<Outcome> {
    const count = world.pick(3, 20);
    const playing = await Promise.all([
      playSleepSensors(world, count),
      playMainsPlugs(world, count),
      playOtaDownloads(world, count * 2),
      playGpsTrackers(world, count),
      playSerialMeters(world, count),
    ]);
    await world.wait(world.pick(12_000, 60_000));
    world.say('the day is over');
    await Promise.all(playing.map((one) => one.finish()));
    return {
      criteria: playing.flatMap((one) => one.criteria()),
      measurements: { devicesOfEachKind: count },
    };
  },
};
