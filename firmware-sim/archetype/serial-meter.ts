import type { Timer } from '../base/clock.js';
import { PLAIN } from '../device/behaviour.js';
import { linkProfile } from '../link/profiles.js';
import { type TransparentModem, transparentModem } from '../link/transparent-modem.js';
import { atLeast, atMost } from '../scenario/criterion.js';
import type { World } from '../scenario/world.js';
import type { Playing } from './archetype.js';

const READING_BYTES = 40;
const READING_EVERY_MS = 1_000;
/** Nothing else tells it that the connection is gone. */
const PATIENCE_MS = 2_000;
const CUT_AFTER_MS = 3_000;
/** The firmware starts again while the modem keeps its connection. */
const RESTART_AFTER_MS = 7_000;
const FINISH_MS_MAX = 60_000;

/** On a serial line behind a transparent modem: it cannot see whether TCP is there. */
export async function playSerialMeters(world: World, count: number): Promise<Playing> {
  const base = `${world.prefix}/meter`;
  await world.backend('meter-backend', {
    subscriptions: [{ topic: `${base}/+/reading`, qos: 1 }],
    onMessage: ({ payload }) => world.ledger.take(payload, world.nowMs()),
  });
  const timers: Timer[] = [];
  const modems: TransparentModem[] = [];
  const streams = Array.from({ length: count }, (_, i) => world.ledger.stream(`meter-${i}`, 1));
  for (const [index, stream] of streams.entries()) {
    const modem = transparentModem(world.dial(), world.clock);
    modems.push(modem);
    const { device } = world.place({
      clientIdentifier: `${world.prefix}-meter-${index}`,
      behaviour: {
        ...PLAIN,
        clean: false,
        inFlightMax: 1,
        connackMsMax: PATIENCE_MS,
        ackMsMax: PATIENCE_MS,
        reconnect: { firstMs: 500, factor: 1, maxMs: 500 },
      },
      profile: linkProfile('serial-9600'),
      reaches: modem.dial,
    });
    device.start();
    timers.push(
      world.every(READING_EVERY_MS, () => {
        const payload = stream.next(world.nowMs(), READING_BYTES);
        device.publish({ topic: `${base}/${index}/reading`, payload, qos: 1 });
      }),
    );
    world.clock.after(CUT_AFTER_MS, () => modem.cut());
    world.clock.after(RESTART_AFTER_MS, () => device.reboot(true));
  }
  const lost = () => streams.reduce((sum, stream) => sum + stream.tally().lost, 0);
  return {
    async finish() {
      for (const timer of timers) timer.cancel();
      await world.until(() => lost() === 0, FINISH_MS_MAX);
    },
    criteria: () => [
      atMost('meters: readings lost', 'messages', 0, lost()),
      // At first, behind the cut, and when the broker has ended what carried a second CONNECT.
      atLeast('meters: connections of a modem', 'connections', 3, fewest(modems)),
    ],
  };
}

function fewest(modems: readonly TransparentModem[]): number {
  return Math.min(...modems.map(({ dials }) => dials));
}
