import { describe, expect, it } from 'vitest';
import { describeOutcome, runWorld } from './run-world.js';
import { scenarios } from './scenarios/index.js';

// SEED=7 SCENARIO=wills replays one world (LINES=10000 prints all of its trace); SEEDS=500 FIRST=1000
// looks for new ones.
const SEEDS_PER_SCENARIO = Number(process.env['SEEDS'] ?? 12);
const FIRST_SEED = Number(process.env['FIRST'] ?? 1);
const { SEED } = process.env;
const seedGiven = SEED === 'random' ? undefined : SEED;
const scenarioGiven = process.env['SCENARIO'];

const seeds =
  seedGiven === undefined
    ? Array.from({ length: SEEDS_PER_SCENARIO }, (_, i) => FIRST_SEED + i)
    : [Number(seedGiven)];
/** Worlds that once showed a fault: they stay. */
const found: Readonly<Record<string, readonly number[]>> = {
  'calm-traffic': [5],
  'failing-disk': [106],
  'full-queues': [23],
  shares: [110],
  'slow-workers': [1009, 1034, 3027, 5029],
  storm: [1003, 1042, 1057],
  wills: [1070, 2021],
};
const chosen = scenarios.filter(({ name }) => (scenarioGiven ?? name) === name);

describe.each(chosen)('simulation: $name', (scenario) => {
  const more = seedGiven === undefined ? (found[scenario.name] ?? []) : [];
  it.each([...new Set([...seeds, ...more])])('seed %i', async (seed) => {
    const outcome = await runWorld(seed, scenario);
    expect(outcome.violations.length, describeOutcome(outcome)).toBe(0);
    expect(outcome.messages).toBeGreaterThan(0);
  });
});

it.each(chosen)('$name: a seed run twice gives the same trace', async (scenario) => {
  const seed = seeds[0]!;
  const one = await runWorld(seed, scenario);
  const other = await runWorld(seed, scenario);
  expect(other.hash).toBe(one.hash);
  expect(other.events).toBe(one.events);
});
