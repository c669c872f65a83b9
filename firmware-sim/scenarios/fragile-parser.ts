import { behaviourOf } from '../device/libraries.js';
import type { LinkProfile } from '../link/profile.js';
import { linkProfile } from '../link/profiles.js';
import { atLeast, atMost, type Criterion } from '../scenario/criterion.js';
import type { MeasurementMap, Outcome, Scenario } from '../scenario/scenario.js';
import { shownNumber } from '../scenario/telling.js';
import type { World } from '../scenario/world.js';

const RETAINED = 8;
const QOS = 1;
const DROPS_MAX = 3;
const GIVE_UP_MS = 11_000;

/** What is sent, and how the link cuts it. */
export interface FragileVariant {
  readonly packetBytes: number;
  readonly payloadBytes: number;
  readonly segmentBytes: number;
}

/**
 * The head of a packet is split only where a full segment ends within it. Packets of 236 bytes are
 * in the way at 536 bytes as well, but never their heads: of eight, segments end 64, 128 and 192
 * bytes into a packet. Where 536 is what a datagram may have, segments are of 496 bytes: the first
 * ends 24 bytes into the third packet, in its topic. At 536 it takes packets nearly as long.
 */
export const FRAGILE_VARIANTS: readonly FragileVariant[] = [
  { packetBytes: 236, payloadBytes: 200, segmentBytes: 496 },
  { packetBytes: 520, payloadBytes: 484, segmentBytes: 536 },
];

/** Without the fixed header's 3, the topic's length 2, the identifier 2. */
export function topicBytesOf({ packetBytes, payloadBytes }: FragileVariant): number {
  return packetBytes - payloadBytes - 7;
}

export const fragileParser: Scenario = {
  number: 2,
  name: 'fragile-parser',
  about: 'a client that drops the link when a header crosses a segment gets retained messages',
  telling: (found) => {
    const [short, long] = FRAGILE_VARIANTS.map((variant) => {
      const drops = shownNumber(found.measurement('drops', nameOf(variant)));
      return `${found.shown(`${nameOf(variant)}: retained messages that arrive`)}, ${drops} drops`;
    });
    return `of ${RETAINED} short ones ${short}; of ${RETAINED} long ones ${long}`;
  },
  async run(world): Promise<Outcome> {
    const results = await Promise.all(FRAGILE_VARIANTS.map((one) => runVariant(world, one)));
    return {
      criteria: results.flatMap(({ criteria }) => criteria),
      measurements: Object.fromEntries(
        results.map(({ measurements }, index) => [nameOf(FRAGILE_VARIANTS[index]!), measurements]),
      ),
    };
  },
};

function nameOf({ packetBytes }: FragileVariant): string {
  return `${packetBytes} bytes`;
}

function linkOf(world: World, { segmentBytes }: FragileVariant): LinkProfile {
  const profile = { ...linkProfile('lwip-tiny'), segmentBytes, windowBytes: 2 * segmentBytes };
  // Byte by byte no packet at all could reach it: only what it sends is split.
  return world.byteSplit ? { ...profile, upSegmentBytes: 1 } : profile;
}

async function runVariant(
  world: World,
  variant: FragileVariant,
): Promise<{ criteria: Criterion[]; measurements: MeasurementMap }> {
  const name = nameOf(variant);
  const base = `${world.prefix}/2/${variant.packetBytes}`;
  const backend = await world.backend(`2-backend-${variant.packetBytes}`);
  const stream = world.ledger.stream(`retained-${variant.packetBytes}`, QOS);
  const topics = Array.from({ length: RETAINED }, (_, index) =>
    `${base}/${index}/`.padEnd(topicBytesOf(variant), 'x'),
  );
  let acknowledged = 0;
  for (const topic of topics) {
    const payload = stream.next(world.nowMs(), variant.payloadBytes);
    backend.publish({ topic, payload, qos: QOS, retain: true, done: () => acknowledged++ });
  }
  await world.until(() => acknowledged === RETAINED, 30_000);
  const { device } = world.place({
    clientIdentifier: `${world.prefix}-2-lwip-${variant.packetBytes}`,
    behaviour: behaviourOf('lwip'),
    profile: linkOf(world, variant),
    splits: false,
    subscriptions: [{ topic: `${base}/#`, qos: QOS }],
    onMessage: ({ payload }) => world.ledger.take(payload, world.nowMs()),
  });
  const startedMs = world.nowMs();
  device.start();
  await world.until(() => stream.distinct === RETAINED, world.pick(60_000, GIVE_UP_MS));
  const tookMs = world.nowMs() - startedMs;
  const dropsUntilAll = device.report.dropCount;
  // It stays connected when the broker has understood.
  await world.wait(world.pick(2_000, 5_000));
  const dropsAfter = device.report.dropCount - dropsUntilAll;
  for (const topic of topics) backend.publish({ topic, payload: '', qos: 0, retain: true });
  return {
    criteria: [
      atLeast(`${name}: retained messages that arrive`, 'messages', RETAINED, stream.distinct),
      atMost(`${name}: drops before the broker steps down`, 'drops', DROPS_MAX, dropsUntilAll),
      atMost(`${name}: drops after`, 'drops', 0, dropsAfter),
    ],
    measurements: {
      seconds: tookMs / 1000,
      drops: device.report.dropCount,
      delivered: stream.distinct,
      connections: device.report.connections,
    },
  };
}
