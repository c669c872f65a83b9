import { expect, it } from 'vitest';
import { Batch } from '../../src/store/engine.js';
import { MemoryEngine } from '../../src/store/memory-engine.js';
import { engineSuite } from './engine-suite.js';
import { ManualTick } from './fixtures.js';

engineSuite('memory', async () => {
  const tick = new ManualTick();
  const engine = new MemoryEngine(tick);
  return {
    engine,
    settle: (outcome) => {
      queueMicrotask(() => tick.end());
      return outcome;
    },
    dispose: () => engine.close(),
  };
});

it('is done inside write, so that a broker in memory acknowledges in the same tick', () => {
  const engine = new MemoryEngine(new ManualTick());
  const batch = new Batch();
  batch.put(Uint8Array.of(1), Uint8Array.of(2));
  let done = false;
  engine.write(batch, () => {
    done = true;
  });
  expect(done).toBe(true);
});
