import { beforeAll, describe, expect, test } from 'vitest';
import { BrokerProcess } from '../../firmware-sim/broker/broker-process.js';
import { brokerCommand } from '../../firmware-sim/broker/commands.js';
import { runScenarios, type ScenarioResult } from '../../firmware-sim/scenario/run.js';
import { chosenScenarios } from '../../firmware-sim/scenarios/catalog.js';
import { buildIfStale } from '../support/build-if-stale.js';

const SECONDS_MAX = 600;

beforeAll(buildIfStale);

async function run(scenario: string, byteSplit: boolean): Promise<ScenarioResult> {
  const [result] = await runScenarios({
    scenarios: chosenScenarios(scenario),
    seed: 1,
    scale: 'ci',
    byteSplit,
    startBroker: ({ needsOwnBroker: persistent = false }) =>
      BrokerProcess.start(brokerCommand('dunlin', { persistent, configFile: undefined })),
    repeat: () => '',
    say: () => {},
  });
  return result!;
}

/**
 * How long something took, and how much memory a process has, say nothing on a machine that does
 * other things too. What was held up beyond what an echo took at that time does (`Yardstick`).
 */
const OF_THE_MACHINE: ReadonlySet<string> = new Set(['ms', 's', 'bytes', 'times']);

function failuresOf({ criteria, error }: ScenarioResult): readonly unknown[] {
  if (error !== undefined) return [error];
  return criteria.filter(({ pass, unit }) => pass === false && !OF_THE_MACHINE.has(unit));
}

describe.concurrent('Dunlin among small devices', () => {
  test.each([
    // The longest first.
    ['mixed-fleet', false],
    ['battery-day', false],
    ['battery-day', true],
    ['oversize-poison', false],
    ['oversize-poison', true],
    ['fragile-parser', false],
    ['fragile-parser', true],
    ['same-id-ping-pong', false],
    ['same-id-ping-pong', true],
    ['backlog-over-gprs', false],
    ['backlog-over-gprs', true],
    ['half-open', false],
    ['half-open', true],
    ['slowloris-connect', false],
    ['slowloris-connect', true],
    ['everyday', false],
    ['everyday', true],
    ['impatient-resender', false],
    ['impatient-resender', true],
    ['exactly-once-actuator', false],
    ['exactly-once-actuator', true],
    ['gateway-and-tiny', false],
    ['gateway-and-tiny', true],
    ['resend-loop', false],
    ['resend-loop', true],
    ['storm', false],
    ['storm', true],
  ])('%s, byte by byte: %s', { timeout: SECONDS_MAX * 1000 }, async (scenario, byteSplit) => {
    expect(failuresOf(await run(scenario, byteSplit))).toEqual([]);
  });
});
