import { behaviourOf } from '../device/libraries.js';
import { linkProfile } from '../link/profiles.js';
import { atLeast, atMost } from '../scenario/criterion.js';
import type { Outcome, Scenario } from '../scenario/scenario.js';
import { shownNumber } from '../scenario/telling.js';

const RETAINED = 8;
/**
 * Two packets and the head of a third, or one and the head of a second, never end where a
 * segment of 536 bytes does: whatever comes in one burst is split in a head.
 */
const PACKET_BYTES = 520;
const PAYLOAD_BYTES = 484;
/** Without fixed header 3, length of the topic 2, identifier 2. */
const TOPIC_BYTES = PACKET_BYTES - PAYLOAD_BYTES - 7;
const DROPS_MAX = 3;

export const fragileParser: Scenario = {
  number: 2,
  name: 'fragile-parser',
  about: 'a client that drops the link when a header crosses a segment gets retained messages',
  telling: (found) => {
    const drops = shownNumber(found.measurement('drops'));
    return `${found.shown('retained messages that arrive')} of ${RETAINED}, ${drops} drops`;
  },
  async run(world): Promise<Outcome> {
    const backend = await world.backend('2-backend');
    const stream = world.ledger.stream('retained', 1);
    const topics = Array.from({ length: RETAINED }, (_, index) =>
      `${world.prefix}/2/retained/${index}/`.padEnd(TOPIC_BYTES, 'x'),
    );
    let acknowledged = 0;
    for (const topic of topics) {
      const payload = stream.next(world.nowMs(), PAYLOAD_BYTES);
      backend.publish({ topic, payload, qos: 1, retain: true, done: () => acknowledged++ });
    }
    await world.until(() => acknowledged === RETAINED, 5_000);
    const profile = linkProfile('lwip-tiny');
    const { device } = world.place({
      clientIdentifier: `${world.prefix}-2-lwip`,
      behaviour: behaviourOf('lwip'),
      // Byte by byte no packet at all could reach it: only what it sends is split.
      profile: world.byteSplit ? { ...profile, upSegmentBytes: 1 } : profile,
      splits: false,
      subscriptions: [{ topic: `${world.prefix}/2/retained/#`, qos: 1 }],
      onMessage: ({ payload }) => world.ledger.take(payload, world.nowMs()),
    });
    const startedMs = world.nowMs();
    device.start();
    const all = () => stream.distinct === RETAINED;
    await world.until(all, world.pick(8_000, 11_000));
    const tookMs = world.nowMs() - startedMs;
    const dropsUntilAll = device.report.dropCount;
    // It stays connected when the broker has understood.
    await world.wait(world.pick(2_000, 5_000));
    const dropsAfter = device.report.dropCount - dropsUntilAll;
    for (const topic of topics) backend.publish({ topic, payload: '', qos: 0, retain: true });
    return {
      criteria: [
        atLeast('retained messages that arrive', 'messages', RETAINED, stream.distinct),
        atMost('drops before the broker steps down', 'drops', DROPS_MAX, dropsUntilAll),
        atMost('drops after', 'drops', 0, dropsAfter),
      ],
      measurements: {
        seconds: tookMs / 1000,
        drops: device.report.dropCount,
        delivered: stream.distinct,
        connections: device.report.connections,
      },
    };
  },
};
