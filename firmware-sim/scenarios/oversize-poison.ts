import type { Behaviour } from '../device/behaviour.js';
import type { Device } from '../device/device.js';
import { behaviourOf } from '../device/libraries.js';
import { atLeast, atMost, type Criterion } from '../scenario/criterion.js';
import type { MeasurementMap, Outcome, Scenario } from '../scenario/scenario.js';
import { WireWatch } from '../scenario/wire-watch.js';
import type { World } from '../scenario/world.js';

interface Variant {
  readonly firmware: string;
  readonly oversizeMessages: number;
  readonly oversizeBytes: number;
  /** Nobody can tell within a minute that it will never take them: it may be slow. */
  readonly mayBeSlow: boolean;
}

const VARIANTS: readonly Variant[] = [
  // Drops it without PUBACK: twenty of them hold every place in flight.
  { firmware: 'pubsubclient', oversizeMessages: 25, oversizeBytes: 300, mayBeSlow: true },
  // Closes the socket: one is enough.
  { firmware: 'arduino-mqtt', oversizeMessages: 1, oversizeBytes: 300, mayBeSlow: false },
];
const SMALL_MESSAGES = 5;
const RECONNECTS_MAX = 5;
/** Dunlin's; another broker has none, or another name for it. */
const DEAD_LETTERS = '$dead-letter/#';
const QUARANTINE = /quarantin|dead.?letter|never ack/i;

interface VariantResult {
  readonly criteria: readonly Criterion[];
  readonly measurements: MeasurementMap;
}

export const oversizePoison: Scenario = {
  number: 1,
  name: 'oversize-poison',
  about: 'messages larger than the buffer of a device with a persistent session, then small ones',
  telling: (found) => {
    const [ignores, closes] = VARIANTS.map(({ firmware: name }) =>
      found.shown(`${name}: small messages that arrive`),
    );
    return `${ignores} and ${closes} of ${SMALL_MESSAGES} messages behind it`;
  },
  async run(world): Promise<Outcome> {
    const results = await Promise.all(VARIANTS.map((variant) => runVariant(world, variant)));
    return {
      criteria: results.flatMap(({ criteria }) => criteria),
      measurements: Object.fromEntries(
        results.map(({ measurements }, index) => [VARIANTS[index]!.firmware, measurements]),
      ),
    };
  },
};

/** Reconnects quickly, and pings often enough for the broker to know that it is there. */
function restless(world: World, variant: Variant): Behaviour {
  const keepAliveSeconds = world.pick(3, 10);
  const reconnect = { firstMs: 500, factor: 1, maxMs: 500 };
  return { ...behaviourOf(variant.firmware), clean: false, keepAliveSeconds, reconnect };
}

async function runVariant(world: World, variant: Variant): Promise<VariantResult> {
  const name = `${world.prefix}-1-${variant.firmware}`;
  const topic = `${name}/cmd`;
  const behaviour = restless(world, variant);
  const watch = new WireWatch(behaviour.version);
  const { device } = world.place({
    clientIdentifier: name,
    behaviour,
    subscriptions: [{ topic, qos: 1 }],
    tap: watch,
    onMessage: ({ payload }) => world.ledger.take(payload, world.nowMs()),
  });
  device.start();
  await device.up();
  let deadLetters = 0;
  const backend = await world.backend(`1-${variant.firmware}-backend`, {
    subscriptions: [{ topic: DEAD_LETTERS, qos: 1 }],
    onMessage: (message) => {
      if (message.topic.includes(name) && !message.retain) deadLetters++;
    },
  });
  const large = world.ledger.stream(`${variant.firmware}-large`, 1);
  const small = world.ledger.stream(`${variant.firmware}-small`, 1);
  for (let i = 0; i < variant.oversizeMessages; i++) {
    const payload = large.next(world.nowMs(), variant.oversizeBytes);
    backend.publish({ topic, payload, qos: 1 });
  }
  for (let i = 0; i < SMALL_MESSAGES; i++) {
    backend.publish({ topic, payload: small.next(world.nowMs(), 40), qos: 1 });
  }
  const startedMs = world.nowMs();
  await waitForAll(world, device, () => small.distinct === SMALL_MESSAGES);
  const tookMs = world.nowMs() - startedMs;
  // What is in nobody's way any more may be told, or taken out of the queue, a little later.
  const isTold = () => world.logLines(name, QUARANTINE)?.length !== 0;
  const areApart = () => variant.mayBeSlow || deadLetters >= variant.oversizeMessages;
  await world.until(() => isTold() && areApart(), world.pick(15_000, 30_000));
  device.stop();
  const lines = world.logLines(name, QUARANTINE);
  return {
    criteria: criteriaOf(variant, small.distinct, deadLetters, lines?.length),
    measurements: {
      smallDelivered: small.distinct,
      seconds: tookMs / 1000,
      reconnects: device.report.connections - 1,
      drops: device.report.dropCount,
      oversizeReceived: device.report.oversize,
      uselessResends: watch.repeated,
      uselessResendBytes: watch.repeatedBytes,
      deadLetters,
      logLine: lines?.[0] ?? null,
    },
  };
}

/** A deaf device pings on for a while; then its application restarts the connection. */
async function waitForAll(world: World, device: Device, done: () => boolean): Promise<void> {
  if (await world.until(done, world.pick(30_000, 60_000))) return;
  world.say('nothing arrives: reconnecting');
  for (let reconnects = 0; reconnects < RECONNECTS_MAX; reconnects++) {
    device.reconnect();
    if (await world.until(done, world.pick(1_500, 5_000))) return;
  }
}

function criteriaOf(
  variant: Variant,
  delivered: number,
  deadLetters: number,
  lines: number | undefined,
): Criterion[] {
  const { firmware: name, oversizeMessages, mayBeSlow } = variant;
  const apart = `${name}: oversize messages kept apart`;
  return [
    atLeast(`${name}: small messages that arrive`, 'messages', SMALL_MESSAGES, delivered),
    ...(mayBeSlow ? [] : [atLeast(apart, 'dead letters', oversizeMessages, deadLetters)]),
    atLeast(`${name}: log lines that say why`, 'lines', 1, lines),
    atMost(`${name}: log lines at most`, 'lines', 1, lines),
  ];
}
