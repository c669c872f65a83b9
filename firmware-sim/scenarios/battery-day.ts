import { type Behaviour, PLAIN } from '../device/behaviour.js';
import { EnergyMeter } from '../energy/energy-meter.js';
import { radioOf } from '../energy/radios.js';
import type { LinkProfile } from '../link/profile.js';
import { linkProfile } from '../link/profiles.js';
import { atMost } from '../scenario/criterion.js';
import type { Outcome, Scenario } from '../scenario/scenario.js';
import type { PlacedDevice, World } from '../scenario/world.js';

/** An hour of the device lasts so long here; the exchange itself is not warped. */
const HOUR_MS = 14_000;
const WARP = 3_600_000 / HOUR_MS;
const READING_BYTES = 17;
/** How long it stays awake for commands that wait for it. */
const COMMAND_WINDOW_MS = 1_500;
const WAKE_MS_MAX = 11_000;
/** What a wake may cost beyond the exchange itself. */
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
  async run(world): Promise<Outcome> {
    const day: Day = world.pick(
      { hours: 3, outages: [1], commands: [1] },
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
          'energy, of what had to be',
          'times',
          FLOOR_FACTOR_MAX,
          worst((s) => s.overhead()),
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

class Sensor {
  readonly #world: World;
  readonly #name: string;
  readonly #profile: LinkProfile = withoutStalls(linkProfile('nb-iot'));
  readonly #placed: PlacedDevice;
  readonly #ideal: EnergyMeter;
  readonly #readings;
  readonly #commands;
  #commandsWaiting = 0;
  #readingsWaiting = 0;

  constructor(world: World, index: number) {
    this.#world = world;
    this.#name = `${world.prefix}-12-${index}`;
    this.#readings = world.ledger.stream(`reading-${index}`, 1);
    this.#commands = world.ledger.stream(`command-${index}`, 1);
    this.#placed = world.place({
      clientIdentifier: this.#name,
      behaviour: SENSOR,
      profile: this.#profile,
      subscriptions: [{ topic: this.#commandTopic, qos: 1 }],
      subscribes: 'new-session',
      onMessage: ({ payload }) => {
        this.#commandsWaiting--;
        world.ledger.take(payload, world.nowMs());
      },
      warp: WARP,
    });
    this.#ideal = new EnergyMeter(radioOf(this.#profile.radio), world.nowMs(), WARP);
  }

  /** On the bench, before the battery is in: the session is made. */
  async install(): Promise<void> {
    const { device, link } = this.#placed;
    const { meter } = link.usage;
    link.usage.meter = undefined;
    device.start();
    await device.up();
    device.stop();
    await this.#world.wait(COMMAND_WINDOW_MS);
    link.usage.meter = meter;
  }

  command(backend: { publish(message: { topic: string; payload: string; qos: 1 }): void }): void {
    this.#commandsWaiting++;
    const payload = this.#commands.next(this.#world.nowMs());
    backend.publish({ topic: this.#commandTopic, payload, qos: 1 });
  }

  /** One wake: the reading, what waits for the device, and sleep. */
  async hour(isOutage: boolean): Promise<void> {
    const world = this.#world;
    const { device, link } = this.#placed;
    link.blackHole(isOutage);
    const payload = this.#readings.next(world.nowMs(), READING_BYTES);
    this.#readingsWaiting++;
    const done = () => this.#readingsWaiting--;
    device.publish({ topic: this.#readingTopic, payload, qos: 1, done });
    const [readings, commands] = [this.#readingsWaiting, this.#commandsWaiting];
    device.start();
    const isDone = () => device.waiting === 0 && this.#commandsWaiting === 0;
    await world.until(isDone, WAKE_MS_MAX);
    // The last acknowledgement is on its way when the last message is there.
    await world.wait(isOutage ? 0 : 50);
    if (isOutage) device.powerOff();
    else device.stop();
    this.#account(isOutage ? undefined : { readings, commands });
  }

  energy() {
    return this.#placed.energy.report(this.#world.nowMs());
  }

  overhead(): number {
    return this.energy().milliJoules / this.#ideal.report(this.#world.nowMs()).milliJoules;
  }

  get #readingTopic(): string {
    return `${this.#world.prefix}/12/${this.#name}/reading`;
  }

  get #commandTopic(): string {
    return `${this.#world.prefix}/12/${this.#name}/command`;
  }

  /** The least that this hour could have cost: one wake, and each packet once. */
  #account(carried: { readonly readings: number; readonly commands: number } | undefined): void {
    const { headerBytes, upBytesPerSecond, downBytesPerSecond } = this.#profile;
    let atMs = this.#world.nowMs();
    const packet = (way: 'up' | 'down', payloadBytes: number) => {
      const rate = way === 'up' ? upBytesPerSecond : downBytesPerSecond;
      const wireBytes = payloadBytes + headerBytes;
      this.#ideal.packet(way, wireBytes, (wireBytes / rate) * 1000, atMs);
      // Within the tail of the packet before it.
      atMs += 1;
    };
    packet('up', 0); // SYN
    if (carried === undefined) return;
    const connectBytes = 2 + 10 + 2 + this.#name.length;
    const headBytes = (topic: string) => 2 + 2 + topic.length + 2;
    packet('down', 0);
    packet('up', connectBytes);
    packet('down', 4);
    for (let i = 0; i < carried.readings; i++) {
      packet('up', headBytes(this.#readingTopic) + READING_BYTES);
      packet('down', 4);
    }
    for (let i = 0; i < carried.commands; i++) {
      packet('down', headBytes(this.#commandTopic) + READING_BYTES);
      packet('up', 4);
    }
    packet('up', 2); // DISCONNECT, FIN and their acknowledgements
    packet('up', 0);
    packet('down', 0);
  }
}

/** Cell reselection would stretch an hour here to minutes of the device. */
function withoutStalls(profile: LinkProfile): LinkProfile {
  const { stall: _, ...rest } = profile;
  return rest;
}
