import { expect, test } from 'vitest';
import { type Behaviour, PLAIN } from '../../../firmware-sim/device/behaviour.js';
import { type LeftOver, leftOver } from '../../../firmware-sim/scenario/left-over.js';
import { World } from '../../../firmware-sim/scenario/world.js';
import { VirtualClock } from '../support/virtual-clock.js';
import { inVirtualTime, VirtualDunlin } from '../support/virtual-dunlin.js';

const QUIET: Behaviour = { ...PLAIN, clean: false };

async function whatIsLeft(world: World): Promise<LeftOver> {
  const place = (name: string, behaviour: Behaviour) => {
    const subscriptions = [{ topic: `${name}/#`, qos: 1 as const }];
    return world.place({ clientIdentifier: name, behaviour, subscriptions });
  };
  const stuck = place('stuck', { ...QUIET, acknowledges: 'never' });
  const away = place('away', QUIET);
  const clean = place('clean', { ...QUIET, clean: true });
  for (const { device } of [stuck, away, clean]) device.start();
  await Promise.all([stuck, away, clean].map(({ device }) => device.up()));
  const backend = await world.backend('backend');
  backend.publish({ topic: 'stuck/1', payload: 'never acknowledged', qos: 1 });
  await world.until(() => stuck.device.report.received === 1, 10_000);
  away.device.stop();
  await world.until(() => away.link.open === 0, 10_000);
  let acknowledged = 0;
  const done = () => acknowledged++;
  for (let i = 0; i < 3; i++) backend.publish({ topic: 'away/1', payload: 'x', qos: 1, done });
  await world.until(() => acknowledged === 3, 10_000);
  world.powerOff();
  return leftOver(world);
}

test('sessions, and what waits in them', async () => {
  const clock = new VirtualClock();
  const broker = await VirtualDunlin.start(clock, false);
  const options = { broker, clock, seed: 1, scale: 'ci', byteSplit: false, say: () => {} } as const;
  const left = await inVirtualTime(
    clock,
    () => broker,
    () => whatIsLeft(new World(options)),
  );
  expect(left).toEqual({ sessions: 2, inFlight: 1, queued: 3 });
});
