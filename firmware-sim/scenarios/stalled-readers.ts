import { jainFairness, Samples } from '../base/samples.js';
import { sendBufferBytesMax } from '../broker/memory.js';
import { PLAIN } from '../device/behaviour.js';
import type { Device } from '../device/device.js';
import { atLeast, atMost } from '../scenario/criterion.js';
import type { Stream } from '../scenario/ledger.js';
import type { Outcome, Scenario } from '../scenario/scenario.js';
import { StalledMemory } from '../scenario/stalled-memory.js';
import { shownKibibytes } from '../scenario/telling.js';
import type { PlacedDevice, World } from '../scenario/world.js';
import { heldUpAtMost } from '../scenario/yardstick.js';

const STALLED = 20;
const HEALTHY = 5;
const HEALTHY_EVERY_MS = 20;
const HEALTHY_P99_MS_MAX = 50;
const HEALTHY_LATE_MS_MAX = 30_000;
const FAIRNESS_MIN = 0.95;
const MESSAGE_BYTES = 1_000;
const BURST_MESSAGES = 100;
const BURST_EVERY_MS = 10;
const BYTES_PER_DEVICE_MAX = 256 * 1024;
/** A flood of few megabytes is less than what a heap grows by for reasons of its own. */
const CI_MEMORY_FACTOR = 4;
const TOLD = /drop|stall|slow|does not read|behind/i;
/** After so long without a message nothing more comes. */
const QUIET_MS = 2_000;
const READS_AGAIN_MS_MAX = 60_000;

interface Healthy {
  readonly stream: Stream;
  readonly topic: string;
}

interface Stalled extends PlacedDevice {
  readonly name: string;
  /** Of the flood. */
  messages: number;
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
    const stalled = await placeStalled(world, topic);
    const healthy = await placeHealthy(world);
    const speaker = await world.backend('6-speaker');
    const flooder = await world.backend('6-flooder');
    const hasSmallWindows =
      (sendBufferBytesMax() ?? Number.POSITIVE_INFINITY) <= BYTES_PER_DEVICE_MAX;
    // Where the kernel takes megabytes for each device, the flood must be larger than that.
    const bytes = hasSmallWindows ? world.pick(4_000_000, 20_000_000) : 20_000_000;
    // What a broker needs for the flood itself is there before anything is measured.
    await flood(world, flooder, `${topic}/nobody`, bytes);
    await flood(world, flooder, topic, 1_000_000);
    await world.wait(1_000);
    for (const { link } of stalled) link.stopReading();
    const memory = new StalledMemory(world, stalled);
    const speaking = world.every(HEALTHY_EVERY_MS, () => speak(world, speaker, healthy));
    world.say('the devices read no more, the flood begins');
    await flood(world, flooder, topic, bytes);
    await world.wait(2_000);
    speaking.cancel();
    memory.stop();
    await world.until(
      () => healthy.every(({ stream }) => stream.tally().lost === 0),
      HEALTHY_LATE_MS_MAX,
    );
    const told = stalled.filter(
      ({ name }) => (world.logLines(`${name}"`, TOLD)?.length ?? 0) > 0,
    ).length;
    const closedByBroker = stalled.filter(({ link }) => link.farEnds > 0).length;
    const inKernel = memory.kernelBytesNow();
    const kept = await readAgain(world, stalled);
    const delays = new Samples();
    for (const { stream } of healthy) delays.addAll(stream.delayMs.values);
    const fairness = jainFairness(healthy.map(({ stream }) => stream.distinct));
    const lost = healthy.reduce((sum, { stream }) => sum + stream.tally().lost, 0);
    const heldUpMs = Math.max(...healthy.map(({ stream }) => stream.heldUpMs));
    const memoryMax = BYTES_PER_DEVICE_MAX * world.pick(CI_MEMORY_FACTOR, 1);
    const perDevice = hasSmallWindows ? memory.perDevice : undefined;
    const keptByKernel = hasSmallWindows ? kept.map(() => 0) : inKernel;
    const keptMost = keptByKernel && Math.max(...kept.map((sum, i) => sum - keptByKernel[i]!));
    return {
      criteria: [
        atMost('broker memory and send queue of each', 'bytes', memoryMax, perDevice),
        atMost(
          'kept for each, and delivered late',
          'bytes of payload',
          BYTES_PER_DEVICE_MAX,
          keptMost,
        ),
        atMost('healthy p99', 'ms', HEALTHY_P99_MS_MAX, delays.percentile(0.99)),
        heldUpAtMost('healthy held up', heldUpMs),
        atLeast('fairness among the healthy', "Jain's index", FAIRNESS_MIN, fairness),
        atMost('healthy lost', 'messages', 0, lost),
        atLeast(
          'stalled devices that the log tells of',
          'devices',
          STALLED,
          world.broker.log === undefined ? undefined : told,
        ),
      ],
      measurements: {
        smallWindows: hasSmallWindows,
        healthyMs: { ...delays.distribution() },
        fairness,
        residentGrowthBytes: memory.residentGrowth,
        kernelQueueBytes: memory.kernelBytes,
        keptBytes: kept,
        keptInKernelBytes: inKernel ?? null,
        closedByBroker,
      },
    };
  },
};

async function placeStalled(world: World, topic: string): Promise<Stalled[]> {
  const placed = Array.from({ length: STALLED }, (_, index) => {
    const name = `${world.prefix}-6-stalled-${index}`;
    const own = world.place({
      clientIdentifier: name,
      behaviour: { ...PLAIN, keepAliveSeconds: 600 },
      splits: false,
      subscriptions: [{ topic, qos: 0 }],
      onMessage: () => {
        one.messages++;
      },
    });
    const one: Stalled = { ...own, name, messages: 0 };
    return one;
  });
  for (const { device } of placed) device.start();
  await Promise.all(placed.map(({ device }) => device.up()));
  return placed;
}

/** How much of the flood comes to each of them yet, in bytes of payload. */
async function readAgain(world: World, stalled: readonly Stalled[]): Promise<number[]> {
  const before = stalled.map(({ messages }) => messages);
  const total = () => stalled.reduce((sum, { messages }) => sum + messages, 0);
  for (const { link } of stalled) link.resumeReading();
  const untilMs = world.nowMs() + READS_AGAIN_MS_MAX;
  for (let seen = -1; seen !== total() && world.nowMs() < untilMs; await world.wait(QUIET_MS)) {
    seen = total();
  }
  return stalled.map(({ messages }, index) => (messages - before[index]!) * MESSAGE_BYTES);
}

async function placeHealthy(world: World): Promise<Healthy[]> {
  const yardstick = await world.yardstick();
  return Promise.all(
    Array.from({ length: HEALTHY }, async (_, index) => {
      const stream = world.ledger.stream(`healthy-${index}`, 1, yardstick);
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
