import { expect, test } from 'vitest';
import { runScenarios, type ScenarioResult } from '../../firmware-sim/scenario/run.js';
import type { Scale } from '../../firmware-sim/scenario/world.js';
import { chosenScenarios, scenarios } from '../../firmware-sim/scenarios/catalog.js';
import { VirtualClock } from './support/virtual-clock.js';
import { inVirtualTime, VirtualDunlin } from './support/virtual-dunlin.js';

/** All others are quick enough to be played as large as they are. */
const SMALL: ReadonlySet<string> = new Set(['stalled-readers', 'mixed-fleet']);

interface Played {
  readonly result: ScenarioResult;
  readonly broker: VirtualDunlin;
}

async function play(scenario: string, scale: Scale, byteSplit: boolean): Promise<Played> {
  const clock = new VirtualClock();
  let broker: VirtualDunlin | undefined;
  const options = {
    scenarios: chosenScenarios(scenario),
    seed: 1,
    scale,
    byteSplit,
    clock,
    startBroker: async ({ needsOwnBroker: persistent = false }) => {
      broker = await VirtualDunlin.start(clock, persistent);
      return broker;
    },
    repeat: () => '',
    say: () => {},
  };
  const [result] = await inVirtualTime(
    clock,
    () => broker,
    () => runScenarios(options),
  );
  return { result: result!, broker: broker! };
}

// In virtual time what devices meet depends on no machine, so all is judged: durations, too.
test.each(
  scenarios.flatMap(
    ({ name }) =>
      [
        [name, false],
        [name, true],
      ] as const,
  ),
)('%s, byte by byte: %s', { timeout: 600_000 }, async (name, byteSplit) => {
  const { result, broker } = await play(name, SMALL.has(name) ? 'ci' : 'full', byteSplit);
  expect(result.error).toBeUndefined();
  expect(result.criteria.filter(({ pass }) => pass === false)).toEqual([]);
  expect(result.criteria.filter(({ pass }) => pass === true)).not.toEqual([]);
  expect(broker.violations).toEqual([]);
});

test('the same seed plays the same run', async () => {
  const [one, other] = [await play('half-open', 'ci', false), await play('half-open', 'ci', false)];
  expect(one.result.criteria).toEqual(other.result.criteria);
  expect(one.result.outcomes).toEqual(other.result.outcomes);
});
