import { type Clock, realClock } from '../base/clock.js';
import type { BrokerUnderTest } from '../broker/broker.js';
import type { Criterion } from './criterion.js';
import { type LeftOver, leftOver } from './left-over.js';
import { type Outcomes, outcomesOf } from './outcomes.js';
import type { MeasurementMap, Outcome, Scenario } from './scenario.js';
import { Found } from './telling.js';
import { type Scale, World } from './world.js';

export interface RunOptions {
  readonly scenarios: readonly Scenario[];
  readonly seed: number;
  readonly scale: Scale;
  readonly byteSplit: boolean;
  /** A fresh broker for each scenario, or the same one again when it is not ours. */
  readonly startBroker: (scenario: Scenario) => Promise<BrokerUnderTest>;
  /** The command that repeats one scenario. */
  readonly repeat: (scenario: Scenario) => string;
  readonly say: (text: string) => void;
  /** Left out: that of this machine. */
  readonly clock?: Clock;
  /** Runs a scenario somewhere else; undefined for one that is to run here, or broke there. */
  readonly elsewhere?: (scenario: Scenario) => Promise<ScenarioResult | undefined> | undefined;
}

export interface ScenarioResult {
  readonly number: number;
  readonly name: string;
  readonly pass: boolean;
  readonly seconds: number;
  readonly broker: string;
  readonly criteria: readonly Criterion[];
  readonly measurements: MeasurementMap;
  /** Its one or two numbers in a few words; why it broke, where it did. */
  readonly telling: string;
  /** The same for every scenario; not there when it broke. */
  readonly outcomes?: Outcomes;
  /** In the broker, when all devices are gone. */
  readonly leftOver?: LeftOver;
  /** Why it came to no result. */
  readonly error?: string;
  readonly repeat: string;
}

/** Far more than any takes: one that hangs must not keep the next from running. */
const MINUTES_MAX = { usual: 20, long: 60 };

/** One after the other; a scenario that fails or breaks does not keep the next from running. */
export async function runScenarios(options: RunOptions): Promise<ScenarioResult[]> {
  const results: ScenarioResult[] = [];
  for (const scenario of options.scenarios) {
    results.push((await options.elsewhere?.(scenario)) ?? (await runOne(scenario, options)));
  }
  return results;
}

async function runOne(scenario: Scenario, options: RunOptions): Promise<ScenarioResult> {
  const startedMs = performance.now();
  const say = (text: string) => options.say(`${scenario.number} ${scenario.name}: ${text}`);
  say(scenario.about);
  const base = {
    number: scenario.number,
    name: scenario.name,
    repeat: options.repeat(scenario),
  };
  const seconds = () => (performance.now() - startedMs) / 1000;
  let broker: BrokerUnderTest | undefined;
  let world: World | undefined;
  try {
    broker = await options.startBroker(scenario);
    const { seed, scale, byteSplit, clock = realClock } = options;
    world = new World({ broker, seed, scale, byteSplit, say, clock });
    const found = await endsInTime(scenario, scenario.run(world));
    const { criteria } = found;
    const pass = criteria.every((criterion) => criterion.pass !== false);
    say(pass ? 'passed' : 'failed');
    const shown = `${broker.kind} ${broker.version}`;
    const outcomes = outcomesOf(world);
    const telling = scenario.telling(new Found(found));
    const result = { ...base, ...found, pass, seconds: seconds(), broker: shown, telling };
    world.powerOff();
    return { ...result, outcomes, leftOver: await leftOver(world) };
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    say(`broke: ${text}`);
    return {
      ...base,
      pass: false,
      seconds: seconds(),
      broker: broker === undefined ? 'none' : `${broker.kind} ${broker.version}`,
      criteria: [],
      measurements: {},
      telling: `broke: ${text}`,
      error: text,
    };
  } finally {
    await world?.close();
    await broker?.stop();
  }
}

async function endsInTime(scenario: Scenario, running: Promise<Outcome>): Promise<Outcome> {
  const minutes = scenario.isLong === true ? MINUTES_MAX.long : MINUTES_MAX.usual;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const error = new Error(`it did not end within ${minutes} minutes`);
    timer = setTimeout(() => reject(error), minutes * 60_000);
  });
  return Promise.race([running, late]).finally(() => clearTimeout(timer));
}
