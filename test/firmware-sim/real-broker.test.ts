import { beforeAll, expect, test } from 'vitest';
import { BrokerProcess } from '../../firmware-sim/broker/broker-process.js';
import { brokerCommand } from '../../firmware-sim/broker/commands.js';
import { runScenarios } from '../../firmware-sim/scenario/run.js';
import { chosenScenarios } from '../../firmware-sim/scenarios/catalog.js';
import { buildIfStale } from '../support/build-if-stale.js';

beforeAll(buildIfStale);

/**
 * What holds however slow the machine is. All the rest is judged in virtual time, where it says
 * something: `scenarios.test.ts`.
 */
const HOLDS: Readonly<Record<string, readonly string[]>> = {
  storm: ['devices that never came in'],
  'exactly-once-actuator': [
    'points in which something broke',
    'lost',
    'duplicated',
    'out of order',
    'never acknowledged',
    'messages behind a stuck PUBREL',
  ],
};

test.each(Object.keys(HOLDS))(
  '%s, with a broker in a process of its own',
  async (name) => {
    const [result] = await runScenarios({
      scenarios: chosenScenarios(name),
      seed: 1,
      scale: 'ci',
      byteSplit: false,
      startBroker: ({ needsOwnBroker: persistent = false }) =>
        BrokerProcess.start(brokerCommand('dunlin', { persistent, configFile: undefined })),
      repeat: () => '',
      say: () => {},
    });
    const { criteria, error } = result!;
    expect(error).toBeUndefined();
    const held = criteria.filter(({ name: what }) => HOLDS[name]!.includes(what));
    expect(held.map(({ name: what }) => what)).toEqual(HOLDS[name]);
    expect(held.filter(({ pass }) => pass !== true)).toEqual([]);
  },
  600_000,
);
