import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { BrokerProcess } from '../../firmware-sim/broker/broker-process.js';
import { brokerCommand } from '../../firmware-sim/broker/commands.js';
import type { Criterion } from '../../firmware-sim/scenario/criterion.js';
import { runScenarios } from '../../firmware-sim/scenario/run.js';
import { chosenScenarios } from '../../firmware-sim/scenarios/catalog.js';
import { buildIfStale } from '../support/build-if-stale.js';

const BYSTANDER = 'bystander held up';
/** The broker has seen the fight: it and its bystander are under way, however slow the machine. */
const FIGHT = '"identifier_ping_pong"';
const LOOK_EVERY_MS = 20;
const BROKER_STOPS_MS = 15_000;
const MACHINE_STOPS_MS = 10_000;

beforeAll(buildIfStale);

/** Scenario 5 against a broker of its own, and something that happens in the middle of it. */
async function fightWith(happens: (broker: BrokerProcess) => void): Promise<Criterion> {
  const [result] = await runScenarios({
    scenarios: chosenScenarios('same-id-ping-pong'),
    seed: 1,
    scale: 'ci',
    byteSplit: false,
    startBroker: async () => {
      const options = { persistent: false, configFile: undefined };
      const broker = await BrokerProcess.start(brokerCommand('dunlin', options));
      const looking = setInterval(() => {
        if (!broker.log.some((line) => line.includes(FIGHT))) return;
        clearInterval(looking);
        happens(broker);
      }, LOOK_EVERY_MS);
      onTestFinished(() => clearInterval(looking));
      return broker;
    },
    repeat: () => '',
    say: () => {},
  });
  expect(result!.error).toBeUndefined();
  const found = result!.criteria.find(({ name }) => name === BYSTANDER);
  if (found === undefined) throw new Error(`there is no criterion ${BYSTANDER}`);
  return found;
}

test('a broker that does nothing for a while holds its bystanders up, on any machine', async () => {
  const held = await fightWith(({ pid }) => {
    process.kill(pid!, 'SIGSTOP');
    setTimeout(() => process.kill(pid!, 'SIGCONT'), BROKER_STOPS_MS);
  });
  expect(held).toMatchObject({ pass: false });
}, 300_000);

test('a machine that does nothing for a while holds nobody up', async () => {
  const held = await fightWith(({ pid }) => {
    process.kill(pid!, 'SIGSTOP');
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, MACHINE_STOPS_MS);
    process.kill(pid!, 'SIGCONT');
  });
  expect(held.measured).toBeLessThan(MACHINE_STOPS_MS / 2);
}, 300_000);
