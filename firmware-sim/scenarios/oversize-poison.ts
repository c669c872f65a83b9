import { library } from '../device/libraries.js';
import type { DeviceReport } from '../device/report.js';
import { atLeast, atMost, type Criterion } from '../scenario/criterion.js';
import type { MeasurementMap, Outcome, Scenario } from '../scenario/scenario.js';
import { WireWatch } from '../scenario/wire-watch.js';
import type { World } from '../scenario/world.js';

interface Variant {
  readonly library: string;
  readonly oversizeMessages: number;
  readonly oversizeBytes: number;
}

const VARIANTS: readonly Variant[] = [
  // Drops it without PUBACK: twenty of them hold every place in flight.
  { library: 'pubsubclient', oversizeMessages: 25, oversizeBytes: 300 },
  // Closes the socket: one is enough.
  { library: 'arduino-mqtt', oversizeMessages: 1, oversizeBytes: 300 },
];
const SMALL_MESSAGES = 5;
const RECONNECTS_MAX = 5;
const LOG_LINES_MAX = 1;

interface VariantResult {
  readonly criteria: readonly Criterion[];
  readonly measurements: MeasurementMap;
}

export const oversizePoison: Scenario = {
  number: 1,
  name: 'oversize-poison',
  about: 'messages larger than the buffer of a device with a persistent session, then small ones',
  async run(world): Promise<Outcome> {
    const results = [];
    for (const variant of VARIANTS) {
      world.say(`${variant.library}, ${variant.oversizeMessages} oversize`);
      results.push({ variant, ...(await runVariant(world, variant)) });
    }
    return {
      criteria: results.flatMap(({ criteria }) => criteria),
      measurements: Object.fromEntries(
        results.map(({ variant, measurements }) => [variant.library, measurements]),
      ),
    };
  },
};

async function runVariant(world: World, variant: Variant): Promise<VariantResult> {
  const name = `${world.prefix}-1-${variant.library}`;
  const topic = `${name}/cmd`;
  const base = library(variant.library);
  const watch = new WireWatch(base.version);
  const { device } = world.place({
    clientIdentifier: name,
    behaviour: { ...base, clean: false, reconnect: { firstMs: 500, factor: 1, maxMs: 500 } },
    subscriptions: [{ topic, qos: 1 }],
    tap: watch,
    onMessage: ({ payload }) => world.ledger.take(payload, world.nowMs()),
  });
  device.start();
  await device.up();
  const backend = await world.backend(`1-${variant.library}-backend`);
  const large = world.ledger.stream(`${variant.library}-large`, 1);
  const small = world.ledger.stream(`${variant.library}-small`, 1);
  for (let i = 0; i < variant.oversizeMessages; i++) {
    const payload = large.next(world.nowMs(), variant.oversizeBytes);
    backend.publish({ topic, payload, qos: 1 });
  }
  for (let i = 0; i < SMALL_MESSAGES; i++) {
    backend.publish({ topic, payload: small.next(world.nowMs(), 40), qos: 1 });
  }
  const all = () => small.distinct === SMALL_MESSAGES;
  const startedMs = world.nowMs();
  await connectAgain(world, device, all);
  const tookMs = world.nowMs() - startedMs;
  device.stop();
  backend.stop();
  const lines = world.logLines(name, 'quarantine');
  return {
    criteria: criteriaOf(variant, small.distinct, device.report, lines),
    measurements: {
      smallDelivered: small.distinct,
      seconds: tookMs / 1000,
      reconnects: device.report.connections - 1,
      drops: device.report.dropCount,
      oversizeReceived: device.report.oversize,
      uselessResends: watch.repeated,
      uselessResendBytes: watch.repeatedBytes,
      logLine: lines?.[0] ?? null,
    },
  };
}

/** Restarts the connection from time to time, as applications do with a device that is deaf. */
async function connectAgain(
  world: World,
  device: { report: DeviceReport; reconnect(): void },
  done: () => boolean,
): Promise<void> {
  const patienceMs = world.pick(1_500, 8_000);
  for (;;) {
    const before = device.report.connections;
    if (await world.until(done, patienceMs)) return;
    if (device.report.connections > RECONNECTS_MAX) return;
    if (device.report.connections === before) device.reconnect();
  }
}

function criteriaOf(
  { library: name }: Variant,
  delivered: number,
  report: DeviceReport,
  lines: readonly string[] | undefined,
): Criterion[] {
  return [
    atLeast(`${name}: small messages that arrive`, 'messages', SMALL_MESSAGES, delivered),
    atMost(`${name}: reconnects until then`, 'reconnects', RECONNECTS_MAX, report.connections - 1),
    atLeast(`${name}: log lines that name the device and its messages`, 'lines', 1, lines?.length),
    atMost(`${name}: such lines at most`, 'lines', LOG_LINES_MAX, lines?.length),
  ];
}
