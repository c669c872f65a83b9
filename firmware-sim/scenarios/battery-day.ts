import { IdealBroker } from '../broker/ideal-broker.js';
import { type Behaviour, PLAIN } from '../device/behaviour.js';
import type { Device } from '../device/device.js';
import type { EnergyReport } from '../energy/energy-meter.js';
import type { LinkProfile } from '../link/profile.js';
import { linkProfile } from '../link/profiles.js';
import { atMost } from '../scenario/criterion.js';
import type { Stream } from '../scenario/ledger.js';
import type { Outcome, Scenario } from '../scenario/scenario.js';
import type { PlacedDevice, World } from '../scenario/world.js';

/** An hour of the device lasts so long here; the exchange itself is not warped. */
const HOUR_MS = 14_000;
const WARP = 3_600_000 / HOUR_MS;
const READING_BYTES = 17;
const COMMAND_BYTES = 40;
/** How long it stays awake for commands that wait for it. */
const COMMAND_WINDOW_MS = 1_500;
const WAKE_MS_MAX = 11_000;
/** Of what the same day costs with a broker that answers at once. */
const FLOOR_FACTOR_MAX = 1.05;

const SENSOR: Behaviour = {
  ...PLAIN,
  name: 'deep-sleep sensor',
  clean: false,
  keepAliveSeconds: 0,
  connackMsMax: 9_000,
  // One attempt a wake: it sleeps when that fails.
  reconnect: { firstMs: 1_000_000, factor: 1, maxMs: 1_000_000 },
};

interface Day {
  readonly hours: number;
  /** In which nothing gets through. */
  readonly outages: readonly number[];
  /** In which the backend sends a command. */
  readonly commands: readonly number[];
}

export const batteryDay: Scenario = {
  number: 12,
  name: 'battery-day',
  about: 'a day of sensors that sleep, on NB-IoT, with commands that wait and two outages',
  isLong: true,
  telling: (found) => {
    const times = found.shown('energy, of what it costs with an ideal broker');
    return `${found.shown('wakes')} wakes, ${times} times the energy of an ideal broker`;
  },
  async run(world): Promise<Outcome> {
    const day: Day = world.pick(
      { hours: 2, outages: [0], commands: [1] },
      { hours: 24, outages: [7, 15], commands: [3, 9, 14, 20] },
    );
    const sensors = Array.from(
      { length: world.pick(4, 20) },
      (_, index) => new Sensor(world, index),
    );
    const backend = await world.backend('12-backend', {
      subscriptions: [{ topic: `${world.prefix}/12/+/reading`, qos: 1 }],
      onMessage: ({ payload }) => world.ledger.take(payload, world.nowMs()),
    });
    await Promise.all(sensors.map((sensor) => sensor.install()));
    for (let hour = 0; hour < day.hours; hour++) {
      const untilMs = world.nowMs() + HOUR_MS;
      if (day.commands.includes(hour)) {
        for (const sensor of sensors) sensor.command(backend);
      }
      const isOutage = day.outages.includes(hour);
      await Promise.all(sensors.map((sensor) => sensor.hour(isOutage)));
      world.say(`hour ${hour + 1} of ${day.hours}${isOutage ? ', outage' : ''}`);
      await world.wait(Math.max(0, untilMs - world.nowMs()));
    }
    const wakesMax = day.hours + day.outages.length;
    const worst = (of: (sensor: Sensor) => number) => Math.max(...sensors.map(of));
    const tallies = world.ledger.tallies();
    const reports = sensors.map((sensor) => sensor.energy());
    const median = reports.map(({ daysOfTwoCells }) => daysOfTwoCells).toSorted((a, b) => a - b)[
      Math.floor(reports.length / 2)
    ];
    return {
      criteria: [
        atMost('readings and commands lost', 'messages', 0, tallies['qos1']?.lost),
        atMost('readings and commands twice', 'messages', 0, tallies['qos1']?.duplicated),
        atMost(
          'wakes',
          'wakes',
          wakesMax,
          worst((sensor) => sensor.energy().wakes),
        ),
        atMost(
          'wakes that somebody else began',
          'wakes',
          0,
          worst((sensor) => sensor.energy().wakesFromOutside),
        ),
        atMost(
          'energy, of what it costs with an ideal broker',
          'times the floor',
          FLOOR_FACTOR_MAX,
          worst((sensor) => sensor.overhead()),
        ),
      ],
      measurements: {
        ...day,
        outages: [...day.outages],
        commands: [...day.commands],
        sensors: sensors.length,
        daysOfTwoCellsMedian: median,
        milliJoulesPerReading: worst((sensor) => sensor.energy().milliJoules / day.hours),
      },
    };
  },
};

/** A sensor, and its twin on an equal link that has the ideal broker to talk to. */
class Sensor {
  readonly #world: World;
  readonly #name: string;
  readonly #commandTopic: string;
  readonly #readingTopic: string;
  readonly #real: PlacedDevice;
  readonly #twin: PlacedDevice;
  readonly #ideal: IdealBroker;
  readonly #readings: Stream;
  readonly #commands: Stream;
  #commandsWaiting = 0;
  #twinCommandsWaiting = 0;

  constructor(world: World, index: number) {
    this.#world = world;
    this.#name = `${world.prefix}-12-${index}`;
    this.#commandTopic = `${world.prefix}/12/${this.#name}/command`;
    this.#readingTopic = `${world.prefix}/12/${this.#name}/reading`;
    this.#readings = world.ledger.stream(`reading-${index}`, 1);
    this.#commands = world.ledger.stream(`command-${index}`, 1);
    this.#ideal = new IdealBroker(this.#commandTopic);
    const common = {
      clientIdentifier: this.#name,
      behaviour: SENSOR,
      profile: withoutStalls(linkProfile('nb-iot')),
      subscriptions: [{ topic: this.#commandTopic, qos: 1 as const }],
      subscribes: 'new-session' as const,
      warp: WARP,
    };
    this.#real = world.place({
      ...common,
      onMessage: ({ payload }) => {
        this.#commandsWaiting--;
        world.ledger.take(payload, world.nowMs());
      },
    });
    this.#twin = world.place({
      ...common,
      reaches: this.#ideal.dial,
      onMessage: () => this.#twinCommandsWaiting--,
    });
  }

  /** On the bench, before the battery is in: the session is made. */
  async install(): Promise<void> {
    const { device, link } = this.#real;
    const { meter } = link.usage;
    link.usage.meter = undefined;
    device.start();
    await device.up();
    device.stop();
    await this.#world.wait(COMMAND_WINDOW_MS);
    link.usage.meter = meter;
  }

  command(backend: Pick<Device, 'publish'>): void {
    this.#commandsWaiting++;
    this.#twinCommandsWaiting++;
    const payload = this.#commands.next(this.#world.nowMs(), COMMAND_BYTES);
    backend.publish({ topic: this.#commandTopic, payload, qos: 1 });
    this.#ideal.waiting.push(payload);
  }

  async hour(isOutage: boolean): Promise<void> {
    const payload = this.#readings.next(this.#world.nowMs(), READING_BYTES);
    await Promise.all([
      this.#wake(this.#real, payload, isOutage, () => this.#commandsWaiting === 0),
      this.#wake(this.#twin, payload, isOutage, () => this.#twinCommandsWaiting === 0),
    ]);
  }

  energy(): EnergyReport {
    return this.#real.energy.report(this.#world.nowMs());
  }

  /** What it spent, of what it would have spent with the ideal broker. */
  overhead(): number {
    return this.energy().milliJoules / this.#twin.energy.report(this.#world.nowMs()).milliJoules;
  }

  /** One wake: the reading, what waits for the device, and sleep. */
  async #wake(
    { device, link }: PlacedDevice,
    payload: string,
    isOutage: boolean,
    hasCommands: () => boolean,
  ): Promise<void> {
    link.blackHole(isOutage);
    device.publish({ topic: this.#readingTopic, payload, qos: 1 });
    device.start();
    await this.#world.until(() => device.waiting === 0 && hasCommands(), WAKE_MS_MAX);
    if (isOutage) device.powerOff();
    else device.stop();
  }
}

/** Cell reselection would stretch an hour here to minutes of the device. */
function withoutStalls(profile: LinkProfile): LinkProfile {
  const { stall: _, ...rest } = profile;
  return rest;
}
