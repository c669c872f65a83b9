import { silentLogger } from '../../../src/base/log.js';
import { SeededRandom } from '../../../src/base/random.js';
import { Broker } from '../../../src/broker/broker.js';
import { DurableStore } from '../../../src/store/durable-store.js';
import { MemoryEngine } from '../../../src/store/memory-engine.js';
import { recover } from '../../../src/store/recovery.js';
import type { Setup } from './harness.js';
import type { VirtualTime } from './virtual-time.js';

const SEED = 20_260_401;

/** The broker as it is shipped, on virtual time and over the engine in memory. */
export async function startBroker(time: VirtualTime, { limits = {} }: Setup): Promise<Broker> {
  const engine = new MemoryEngine(time);
  const onFailure = (failure: unknown): never => {
    throw new Error('the engine in memory does not fail', { cause: failure });
  };
  const store = new DurableStore({ engine, endOfTick: time, onFailure });
  const broker = new Broker({
    clock: time,
    timers: time.timers,
    endOfTick: time,
    random: new SeededRandom(SEED),
    log: silentLogger,
    store,
    limits,
  });
  await recover(engine, store, broker.recovery);
  broker.start();
  return broker;
}
