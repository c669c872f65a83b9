import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { BrokerProcess } from '../../../firmware-sim/broker/broker-process.js';
import { brokerCommand } from '../../../firmware-sim/broker/commands.js';
import { type Behaviour, PLAIN } from '../../../firmware-sim/device/behaviour.js';
import { leftOver } from '../../../firmware-sim/scenario/left-over.js';
import { World } from '../../../firmware-sim/scenario/world.js';
import { buildIfStale } from '../../support/build-if-stale.js';

const QUIET: Behaviour = { ...PLAIN, clean: false };

beforeAll(buildIfStale);

test('sessions, and what waits in them', async () => {
  const options = { persistent: false, configFile: undefined };
  const broker = await BrokerProcess.start(brokerCommand('dunlin', options));
  const world = new World({ broker, seed: 1, scale: 'ci', byteSplit: false, say: () => {} });
  onTestFinished(async () => {
    await world.close();
    await broker.stop();
  });
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
  expect(await leftOver(world)).toEqual({ sessions: 2, inFlight: 1, queued: 3 });
}, 60_000);
