import { PLAIN } from '../device/behaviour.js';
import { linkProfile } from '../link/profiles.js';
import { atMost } from '../scenario/criterion.js';
import type { Stream } from '../scenario/ledger.js';
import type { World } from '../scenario/world.js';
import type { Playing } from './archetype.js';

const READING_BYTES = 17;
const COMMAND_BYTES = 40;
/** How long it listens for commands that wait for it. */
const LISTEN_MS = 1_500;
const SLEEP_MS = 2_000;

/** Wakes, connects, one reading at QoS 1, commands that waited, and back to sleep. */
export async function playSleepSensors(world: World, count: number): Promise<Playing> {
  const streams = (what: string) =>
    Array.from({ length: count }, (_, index) => world.ledger.stream(`sensor-${index}-${what}`, 1));
  const [readings, commands] = [streams('readings'), streams('commands')];
  const lost = (of: readonly Stream[]) => of.reduce((sum, one) => sum + one.tally().lost, 0);
  const take = (payload: Buffer | string) => world.ledger.take(payload, world.nowMs());
  const backend = await world.backend('sensor-backend', {
    subscriptions: [{ topic: `${world.prefix}/sensor/+/reading`, qos: 1 }],
    onMessage: ({ payload }) => take(payload),
  });
  let isOver = false;
  const lives = Array.from({ length: count }, async (_, index) => {
    const base = `${world.prefix}/sensor/${index}`;
    const { device } = world.place({
      clientIdentifier: `${world.prefix}-sensor-${index}`,
      behaviour: { ...PLAIN, clean: false },
      profile: linkProfile('lte-m'),
      subscriptions: [{ topic: `${base}/cmd`, qos: 1 }],
      subscribes: 'new-session',
      onMessage: ({ payload }) => take(payload),
    });
    while (!isOver) {
      device.start();
      await device.up();
      const payload = readings[index]!.next(world.nowMs(), READING_BYTES);
      await new Promise<void>((done) =>
        device.publish({ topic: `${base}/reading`, payload, qos: 1, done }),
      );
      await world.wait(LISTEN_MS);
      device.stop();
      if (isOver) return;
      const command = commands[index]!.next(world.nowMs(), COMMAND_BYTES);
      backend.publish({ topic: `${base}/cmd`, payload: command, qos: 1 });
      await world.wait(SLEEP_MS);
    }
    // Once more for the last command.
    device.start();
    await device.up();
    await world.wait(LISTEN_MS);
    device.stop();
  });
  return {
    async finish() {
      isOver = true;
      await Promise.all(lives);
    },
    criteria: () => [
      atMost('sensors: readings lost', 'messages', 0, lost(readings)),
      atMost('sensors: commands lost', 'messages', 0, lost(commands)),
    ],
  };
}
