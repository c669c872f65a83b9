import { type Behaviour, PLAIN } from '../device/behaviour.js';
import { Device } from '../device/device.js';
import type { World } from './world.js';

/** What the broker still holds for devices with sessions when all of them are gone. */
export interface LeftOver {
  /** Sessions that a device would find again. */
  readonly sessions: number;
  /** Messages that were sent to it and not acknowledged: places in flight that are taken. */
  readonly inFlight: number;
  readonly queued: number;
}

const UP_MS_MAX = 2_000;
/** More than comes in this time is not counted. */
const LISTENS_MS = 700;

/** Comes back once in the place of each device, and counts what it gets without asking. */
export async function leftOver(world: World): Promise<LeftOver> {
  const left = { sessions: 0, inFlight: 0, queued: 0 };
  const dial = world.dial();
  const looks = [...world.persistent].map(async ([clientIdentifier, version]) => {
    const behaviour: Behaviour = { ...PLAIN, version, clean: false };
    const device = new Device({
      clientIdentifier,
      behaviour,
      clock: world.clock,
      dial,
      onConnected: (sessionPresent) => {
        if (sessionPresent) left.sessions++;
      },
      onMessage: ({ dup }) => {
        if (dup) left.inFlight++;
        else left.queued++;
      },
    });
    device.start();
    await device.up(UP_MS_MAX).then(
      () => world.wait(LISTENS_MS),
      () => {},
    );
    device.stop();
  });
  await Promise.all(looks);
  return left;
}
