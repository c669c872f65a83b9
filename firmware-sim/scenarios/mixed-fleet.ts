import type { Timer } from '../base/clock.js';
import { Samples } from '../base/samples.js';
import { residentBytes } from '../broker/memory.js';
import { type Behaviour, PLAIN } from '../device/behaviour.js';
import type { Device } from '../device/device.js';
import { behaviourOf } from '../device/libraries.js';
import { linkProfile } from '../link/profiles.js';
import { type MisfitRun, playMisfit } from '../misfit/misfit.js';
import { misfits } from '../misfit/misfits.js';
import { atMost, type Criterion } from '../scenario/criterion.js';
import { flatness } from '../scenario/growth.js';
import type { Stream } from '../scenario/ledger.js';
import type { Outcome, Scenario } from '../scenario/scenario.js';
import type { PlacedDevice, World } from '../scenario/world.js';
import type { Measure } from '../scenario/yardstick.js';

interface Kind {
  readonly name: string;
  readonly behaviour: Behaviour;
  readonly profile: string;
  /** At which it publishes and is told. */
  readonly qos: 0 | 1 | 2;
  readonly everyMs: number;
}

/** Devices as they should be, of several makes and on several links. */
const HEALTHY: readonly Kind[] = [
  { name: 'plug', behaviour: behaviourOf('tasmota'), profile: 'home-wifi', qos: 0, everyMs: 3_000 },
  { name: 'lamp', behaviour: behaviourOf('esphome'), profile: 'home-wifi', qos: 1, everyMs: 4_000 },
  { name: 'meter', behaviour: behaviourOf('esp-mqtt'), profile: 'lte-m', qos: 1, everyMs: 5_000 },
  {
    name: 'mesh',
    behaviour: behaviourOf('pubsubclient'),
    profile: '6lowpan',
    qos: 0,
    everyMs: 6_000,
  },
  { name: 'valve', behaviour: PLAIN, profile: 'home-wifi', qos: 2, everyMs: 5_000 },
  { name: 'tracker', behaviour: behaviourOf('wolfmqtt'), profile: 'gprs', qos: 1, everyMs: 9_000 },
];
/** Devices that take messages badly: they have sessions and are sent to. */
const BAD_RECEIVERS: readonly Behaviour[] = [
  { ...PLAIN, name: 'never-acknowledges', acknowledges: 'never', clean: false },
  { ...PLAIN, name: 'acknowledges-twice', acknowledges: 'twice', clean: false },
  { ...PLAIN, name: 'acknowledges-backwards', acknowledges: 'backwards', clean: false },
  { ...behaviourOf('arduino-mqtt'), name: 'small-buffer', clean: false },
  { ...PLAIN, name: 'never-completes', sendsPubcomp: false, clean: false },
];
const MISFIT_SHARE = 0.2;
const BAD_RECEIVER_SHARE = 0.05;
const PAYLOAD_BYTES = 60;
const SETTLE_MS = 60_000;
/** The least patience that one of them has. */
const STANDS_STILL_MS_MAX = 1_000;

export const mixedFleet: Scenario = {
  number: 13,
  name: 'mixed-fleet',
  about: 'healthy devices of many makes among all that misbehave, for a long time',
  isLong: true,
  keepsData: true,
  telling: (found) => {
    const drops = found.shown('connections that healthy devices lost');
    return `${found.shown('lost by healthy devices')} lost, ${drops} drops of healthy devices`;
  },
  async run(world): Promise<Outcome> {
    const fleet = new Fleet(world, world.pick(150, 2_000));
    const emptyEveryMs = world.pick(8_000, 120_000);
    let emptiedMs = world.nowMs();
    const minutes = world.pick(0.5, 30);
    await fleet.start(await world.yardstick());
    const memory = new Samples();
    const endMs = world.nowMs() + minutes * 60_000;
    while (world.nowMs() < endMs) {
      await world.wait(Math.min(world.pick(5_000, 60_000), endMs - world.nowMs()));
      if (world.nowMs() - emptiedMs >= emptyEveryMs) {
        emptiedMs = world.nowMs();
        await fleet.emptySessions();
      }
      fleet.look();
      const bytes = residentBytes(world.broker.pid);
      if (bytes === undefined) continue;
      memory.add(bytes);
      world.say(`${Math.round(bytes / 1_048_576)} MiB`);
    }
    await fleet.end();
    return {
      criteria: [...fleet.criteria(), flatness(memory.values)],
      measurements: {
        devices: fleet.size,
        minutes,
        memoryMiB: memory.values.map((bytes) => Math.round(bytes / 1_048_576)),
        streams: world.ledger.tallies() as never,
        acknowledgementMs: { ...fleet.acknowledgements().distribution() },
        misfitAttempts: fleet.misfitAttempts(),
      },
    };
  },
};

class Fleet {
  readonly size: number;
  readonly #world: World;
  readonly #healthy: (PlacedDevice & { readonly kind: Kind })[] = [];
  readonly #misfits: MisfitRun[] = [];
  readonly #badReceivers = new Map<string, Device>();
  readonly #loops: Timer[] = [];
  readonly #streams: Stream[] = [];
  #yardstick: Measure | undefined;
  #lookedMs = 0;
  #stoodStillMs = 0;

  constructor(world: World, size: number) {
    this.#world = world;
    this.size = size;
  }

  async start(yardstick: Measure): Promise<void> {
    this.#yardstick = yardstick;
    this.#lookedMs = this.#world.nowMs();
    const world = this.#world;
    const bad = Math.ceil(this.size * BAD_RECEIVER_SHARE);
    const misfit = Math.ceil(this.size * MISFIT_SHARE);
    const base = `${world.prefix}/13`;
    const backend = await world.backend('13-backend', {
      subscriptions: [
        { topic: `${base}/up/0/#`, qos: 0 },
        { topic: `${base}/up/1/#`, qos: 1 },
        { topic: `${base}/up/2/#`, qos: 2 },
      ],
      onMessage: ({ payload }) => world.ledger.take(payload, world.nowMs()),
    });
    for (let i = 0; i < this.size - bad - misfit; i++) this.#addHealthy(base, i);
    const ready = this.#healthy.map(({ device }) => device.up());
    for (const { device } of this.#healthy) device.start();
    await Promise.race([Promise.all(ready), world.wait(SETTLE_MS)]);
    world.say(`${this.#healthy.length} healthy devices are connected`);
    for (const one of this.#healthy) this.#report(base, one);
    for (let i = 0; i < bad; i++) this.#addBadReceiver(base, i);
    this.#loops.push(
      world.every(1_000, () => {
        const payload = 'z'.repeat(PAYLOAD_BYTES * 4);
        backend.publish({ topic: `${base}/bad`, payload, qos: 2 });
      }),
    );
    for (let i = 0; i < misfit; i++) this.#addMisfit(i);
  }

  /**
   * What waits for devices that never acknowledge is thrown away from time to time, as operators
   * do: what the broker is asked to keep has an end then, and what grows all the same is a leak.
   */
  async emptySessions(): Promise<void> {
    await Promise.all(
      [...this.#badReceivers].map(async ([name, device]) => {
        device.stop();
        await this.#world.endSession(name);
        device.start();
      }),
    );
  }

  /** Often enough, how long this machine stood still since the last look. */
  look(): void {
    const nowMs = this.#world.nowMs();
    const slowestMs = this.#yardstick?.slowestMs(this.#lookedMs, nowMs) ?? 0;
    this.#stoodStillMs = Math.max(this.#stoodStillMs, slowestMs);
    this.#lookedMs = nowMs;
  }

  async end(): Promise<void> {
    for (const loop of this.#loops) loop.cancel();
    await this.#world.until(
      () => this.#streams.every((stream) => stream.distinct === stream.tally().sent),
      SETTLE_MS,
    );
    for (const misfit of this.#misfits) misfit.stop();
  }

  criteria(): Criterion[] {
    const sum = (of: (one: PlacedDevice) => number) =>
      this.#healthy.reduce((total, one) => total + of(one), 0);
    const tallies = this.#streams.map((stream) => ({ qos: stream.qos, ...stream.tally() }));
    const lost = tallies.reduce((total, tally) => total + tally.lost, 0);
    const twice = tallies.filter(({ qos }) => qos === 2);
    const duplicated = twice.reduce((total, tally) => total + tally.duplicated, 0);
    // Where the machine kept all waiting, they lost patience with it, not with the broker.
    const isDisturbed = this.#stoodStillMs > STANDS_STILL_MS_MAX;
    const drops = isDisturbed ? undefined : sum(({ device }) => device.report.dropCount);
    return [
      atMost('lost by healthy devices', 'messages', 0, lost),
      atMost('QoS 2 messages that came twice', 'messages', 0, duplicated),
      atMost('connections that healthy devices lost', 'connections', 0, drops),
    ];
  }

  acknowledgements(): Samples {
    return this.#world.samplesOf(this.#healthy, ({ device }) => device.report.ackMs);
  }

  misfitAttempts(): number {
    return this.#misfits.reduce((sum, { attempts }) => sum + attempts, 0);
  }

  #addHealthy(base: string, index: number): void {
    const kind = HEALTHY[index % HEALTHY.length]!;
    const name = `${this.#world.prefix}-13-${kind.name}-${index}`;
    const placed = this.#world.place({
      clientIdentifier: name,
      behaviour: kind.behaviour,
      profile: linkProfile(kind.profile),
      subscriptions: [{ topic: `${base}/down/${name}`, qos: kind.qos }],
    });
    this.#healthy.push({ ...placed, kind });
  }

  /** Telemetry, each device at a time of its own. */
  #report(base: string, { device, kind }: PlacedDevice & { readonly kind: Kind }): void {
    const world = this.#world;
    const index = this.#streams.length;
    const stream = world.ledger.stream(`${kind.name}-${index}`, kind.qos);
    this.#streams.push(stream);
    const topic = `${base}/up/${kind.qos}/${kind.name}/${index}`;
    const publish = (): void => {
      const payload = stream.next(world.nowMs(), PAYLOAD_BYTES);
      device.publish({ topic, payload, qos: kind.qos });
    };
    const firstMs = world.random(stream.name).next() * kind.everyMs;
    const first = world.clock.after(firstMs, () => {
      publish();
      this.#loops.push(world.every(kind.everyMs, publish));
    });
    this.#loops.push(first);
  }

  #addBadReceiver(base: string, index: number): void {
    const behaviour = BAD_RECEIVERS[index % BAD_RECEIVERS.length]!;
    const name = `${this.#world.prefix}-13-${behaviour.name}-${index}`;
    const { device } = this.#world.place({
      clientIdentifier: name,
      behaviour,
      subscriptions: [{ topic: `${base}/bad`, qos: behaviour.sendsPubcomp ? 1 : 2 }],
    });
    this.#badReceivers.set(name, device);
    device.start();
  }

  #addMisfit(index: number): void {
    const world = this.#world;
    const misfit = misfits[index % misfits.length]!;
    const name = `${world.prefix}-13-${misfit.name}-${index}`;
    this.#misfits.push(playMisfit(misfit, name, world.dial(), world.clock));
  }
}
