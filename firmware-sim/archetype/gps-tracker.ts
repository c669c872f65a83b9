import type { Timer } from '../base/clock.js';
import { PLAIN } from '../device/behaviour.js';
import { linkProfile } from '../link/profiles.js';
import { atMost } from '../scenario/criterion.js';
import type { World } from '../scenario/world.js';
import type { Playing } from './archetype.js';

const POSITION_BYTES = 60;
const POSITION_EVERY_MS = 250;
const QUEUE_MAX = 500;
/** A tunnel, after so long on the road. */
const OUTAGE_AFTER_MS = 4_000;
const OUTAGE_MS = 3_000;
const FINISH_MS_MAX = 60_000;

/** Loses its link, collects positions, and hands them in in order while commands arrive. */
export async function playGpsTrackers(world: World, count: number): Promise<Playing> {
  const base = `${world.prefix}/tracker`;
  const take = (payload: Buffer | string) => world.ledger.take(payload, world.nowMs());
  const backend = await world.backend('tracker-backend', {
    subscriptions: [{ topic: `${base}/+/position`, qos: 1 }],
    onMessage: ({ payload }) => take(payload),
  });
  const timers: Timer[] = [];
  const roads = Array.from({ length: count }, (_, index) => {
    const positions = world.ledger.stream(`tracker-${index}`, 1);
    const commands = world.ledger.stream(`tracker-${index}-commands`, 1);
    const { device, link } = world.place({
      clientIdentifier: `${world.prefix}-tracker-${index}`,
      behaviour: {
        ...PLAIN,
        clean: false,
        keepAliveSeconds: 2,
        pingrespMsMax: 2_000,
        connackMsMax: 5_000,
        queueMax: QUEUE_MAX,
      },
      profile: linkProfile('lte-m'),
      subscriptions: [{ topic: `${base}/${index}/cmd`, qos: 1 }],
      subscribes: 'new-session',
      onMessage: ({ payload }) => take(payload),
    });
    device.start();
    const position = () => positions.next(world.nowMs(), POSITION_BYTES);
    timers.push(
      world.every(POSITION_EVERY_MS, () => {
        device.publish({ topic: `${base}/${index}/position`, payload: position(), qos: 1 });
      }),
      world.every(POSITION_EVERY_MS * 4, () => {
        const payload = commands.next(world.nowMs(), 40);
        backend.publish({ topic: `${base}/${index}/cmd`, payload, qos: 1 });
      }),
      world.every(OUTAGE_AFTER_MS + OUTAGE_MS, () => {
        link.blackHole(true);
        world.clock.after(OUTAGE_MS, () => link.blackHole(false));
      }),
    );
    return { positions, commands, device };
  });
  await Promise.all(roads.map(({ device }) => device.up()));
  const sum = (of: (road: (typeof roads)[number]) => number) =>
    roads.reduce((total, road) => total + of(road), 0);
  const lost = () => sum(({ positions }) => positions.tally().lost);
  const commandsLost = () => sum(({ commands }) => commands.tally().lost);
  return {
    async finish() {
      for (const timer of timers) timer.cancel();
      await world.until(() => lost() + commandsLost() === 0, FINISH_MS_MAX);
    },
    criteria: () => [
      atMost('trackers: positions lost', 'messages', 0, lost()),
      atMost(
        'trackers: positions out of order',
        'messages',
        0,
        sum((road) => road.positions.tally().reordered),
      ),
      atMost('trackers: commands lost', 'messages', 0, commandsLost()),
    ],
  };
}
