import { engineSuite } from '../store/engine-suite.js';
import { Chance } from './chance.js';
import { EventQueue } from './event-queue.js';
import { type EngineWorld, SimDisk, SimEngine } from './sim-engine.js';

engineSuite('simulated', async () => {
  const queue = new EventQueue();
  let nowMs = 0;
  let sequence = 0;
  const world: EngineWorld = {
    diskChance: new Chance(7),
    diskLatencyMsMax: 5,
    after: (delayMs, label, run) =>
      queue.push({
        atMs: nowMs + delayMs,
        tie: 0,
        sequence: sequence++,
        label,
        run,
        cancelled: false,
      }),
  };
  const engine = new SimEngine(world, new SimDisk());
  return {
    engine,
    settle: (outcome) => {
      queueMicrotask(() => {
        for (let event = queue.pop(); event !== undefined; event = queue.pop()) {
          nowMs = event.atMs;
          void event.run();
        }
      });
      return outcome;
    },
    dispose: () => engine.close(),
  };
});
