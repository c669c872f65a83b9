import { jainFairness, Samples } from '../base/samples.js';
import { residentBytes, sendQueues } from '../broker/memory.js';
import { PLAIN } from '../device/behaviour.js';
import type { Device } from '../device/device.js';
import { atLeast, atMost } from '../scenario/criterion.js';
import type { Stream } from '../scenario/ledger.js';
import type { Outcome, Scenario } from '../scenario/scenario.js';
import { shownKibibytes } from '../scenario/telling.js';
import type { PlacedDevice, World } from '../scenario/world.js';

const STALLED = 20;
const HEALTHY = 5;
const HEALTHY_EVERY_MS = 20;
const HEALTHY_P99_MS_MAX = 50;
const FAIRNESS_MIN = 0.95;
const MESSAGE_BYTES = 1_000;
const BURST_MESSAGES = 100;
const BURST_EVERY_MS = 10;
const BYTES_PER_DEVICE_MAX = 256 * 1024;
const LOOK_EVERY_MS = 50;
const TOLD = /drop|stall|slow|does not read|behind/i;

interface Healthy {
  readonly stream: Stream;
  readonly topic: string;
}

export const stalledReaders: Scenario = {
  number: 6,
  name: 'stalled-readers',
  about: 'twenty devices stop reading while their topic is flooded; others go on',
  smallWindows: true,
  telling: (found) => {
    const each = shownKibibytes(found.value('broker memory and send queue of each'));
    return `${each} each, healthy p99 ${found.shown('healthy p99')} ms`;
  },
  async run(world): Promise<Outcome> {
    const topic = `${world.prefix}/6/flood`;
    const stalled = await placeAll(world, topic);
    const healthy = await placeHealthy(world);
    const speaker = await world.backend('6-speaker');
    const flooder = await world.backend('6-flooder');
    const bytes = world.pick(4_000_000, 20_000_000);
    // What a broker needs for the flood itself is there before anything is measured.
    await flood(world, flooder, `${topic}/nobody`, bytes);
    await flood(world, flooder, topic, 1_000_000);
    await world.wait(1_000);
    for (const { link } of stalled) link.stopReading();
    const memory = new MemoryWatch(world, stalled);
    const speaking = setInterval(() => speak(world, speaker, healthy), HEALTHY_EVERY_MS);
    world.say('the devices read no more, the flood begins');
    await flood(world, flooder, topic, bytes);
    await world.wait(2_000);
    clearInterval(speaking);
    memory.stop();
    await world.until(() => healthy.every(({ stream }) => stream.tally().lost === 0), 2_000);
    const delays = new Samples();
    for (const { stream } of healthy) delays.addAll(stream.delayMs.values);
    const fairness = jainFairness(healthy.map(({ stream }) => stream.distinct));
    const told = stalled.filter(
      (_, index) => (world.logLines(`${stalledName(world, index)}"`, TOLD)?.length ?? 0) > 0,
    );
    const lost = healthy.reduce((sum, { stream }) => sum + stream.tally().lost, 0);
    return {
      criteria: [
        atMost(
          'broker memory and send queue of each',
          'bytes',
          BYTES_PER_DEVICE_MAX,
          memory.perDevice,
        ),
        atMost('healthy p99', 'ms', HEALTHY_P99_MS_MAX, delays.percentile(0.99)),
        atLeast('fairness among the healthy', "Jain's index", FAIRNESS_MIN, fairness),
        atMost('healthy lost', 'messages', 0, lost),
        atLeast(
          'stalled devices that the log tells of',
          'devices',
          STALLED,
          world.broker.log === undefined ? undefined : told.length,
        ),
      ],
      measurements: {
        healthyMs: { ...delays.distribution() },
        fairness,
        residentGrowthBytes: memory.residentGrowth,
        kernelQueueBytes: memory.kernelBytes,
        closedByBroker: stalled.filter(({ link }) => link.farEnds > 0).length,
      },
    };
  },
};

function stalledName(world: World, index: number): string {
  return `${world.prefix}-6-stalled-${index}`;
}

async function placeAll(world: World, topic: string): Promise<PlacedDevice[]> {
  const placed = Array.from({ length: STALLED }, (_, index) =>
    world.place({
      clientIdentifier: stalledName(world, index),
      behaviour: { ...PLAIN, keepAliveSeconds: 600 },
      splits: false,
      subscriptions: [{ topic, qos: 0 }],
    }),
  );
  for (const { device } of placed) device.start();
  await Promise.all(placed.map(({ device }) => device.up()));
  return placed;
}

async function placeHealthy(world: World): Promise<Healthy[]> {
  return Promise.all(
    Array.from({ length: HEALTHY }, async (_, index) => {
      const stream = world.ledger.stream(`healthy-${index}`, 1);
      const topic = `${world.prefix}/6/healthy/${index}`;
      const { device } = world.place({
        clientIdentifier: `${world.prefix}-6-healthy-${index}`,
        behaviour: PLAIN,
        subscriptions: [{ topic, qos: 1 }],
        onMessage: ({ payload }) => world.ledger.take(payload, world.nowMs()),
      });
      device.start();
      await device.up();
      return { stream, topic };
    }),
  );
}

function speak(world: World, speaker: Device, healthy: readonly Healthy[]): void {
  for (const { stream, topic } of healthy) {
    speaker.publish({ topic, payload: stream.next(world.nowMs(), 64), qos: 1 });
  }
}

async function flood(world: World, flooder: Device, topic: string, bytes: number): Promise<void> {
  const payload = Buffer.alloc(MESSAGE_BYTES, '.');
  const messages = bytes / MESSAGE_BYTES;
  for (let sent = 0; sent < messages; sent += BURST_MESSAGES) {
    for (let i = 0; i < BURST_MESSAGES; i++) flooder.publish({ topic, payload, qos: 0 });
    await world.wait(BURST_EVERY_MS);
  }
}

/** What the broker and the kernel beside it hold for devices that do not read, at their most. */
class MemoryWatch {
  #residentMax = 0;
  #kernelMax = 0;
  readonly #residentBefore: number | undefined;
  readonly #world: World;
  readonly #ports: readonly number[];
  readonly #timer: NodeJS.Timeout;

  constructor(world: World, devices: readonly PlacedDevice[]) {
    this.#world = world;
    this.#ports = devices.flatMap(({ link }) => link.localPorts);
    this.#residentBefore = residentBytes(world.broker.pid);
    this.#timer = setInterval(() => this.#look(), LOOK_EVERY_MS);
  }

  get residentGrowth(): number | undefined {
    if (this.#residentBefore === undefined) return undefined;
    return Math.max(0, this.#residentMax - this.#residentBefore);
  }

  get kernelBytes(): number {
    return this.#kernelMax;
  }

  get perDevice(): number | undefined {
    const growth = this.residentGrowth;
    return growth === undefined ? undefined : (growth + this.#kernelMax) / STALLED;
  }

  stop(): void {
    this.#look();
    clearInterval(this.#timer);
  }

  #look(): void {
    const { pid, port } = this.#world.broker;
    this.#residentMax = Math.max(this.#residentMax, residentBytes(pid) ?? 0);
    const queues = sendQueues(port);
    const kernel = this.#ports.reduce((sum, own) => sum + (queues?.get(own) ?? 0), 0);
    this.#kernelMax = Math.max(this.#kernelMax, kernel);
  }
}
