import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../src/base/random.js';
import { diskProblems, recordCounts } from './disk-check.js';
import { StoreModel } from './store-model.js';

async function expectRecovered(model: StoreModel, keep: boolean): Promise<StoreModel> {
  const { lost, kept } = model.acceptable;
  expect(model.brokenPromises).toEqual([]);
  const next = await model.restarted(keep);
  expect(await diskProblems(next.engine.disk)).toEqual([]);
  expect(JSON.parse(JSON.stringify(next.state))).toEqual(JSON.parse(keep ? kept : lost));
  return next;
}

describe('a store that crashes', () => {
  for (let seed = 1; seed <= 30; seed++) {
    it(`holds what was committed and the batch in flight whole or not at all, seed ${seed}`, async () => {
      const random = new SeededRandom(seed);
      let model = StoreModel.empty(random);
      for (let life = 0; life < 8; life++) {
        const steps = random.below(250);
        for (let i = 0; i < steps; i++) {
          model.step();
          expect(model.brokenPromises).toEqual([]);
        }
        model = await expectRecovered(model, random.below(2) === 0);
      }
      while (model.sessions > 0) model.removeSession();
      model.drain();
      const left = await recordCounts(model.engine.disk);
      expect(Object.keys(left).filter((name) => name !== 'Retained')).toEqual(['Meta']);
    });
  }
});

describe('a store whose Nth operation fails', () => {
  for (const seed of [101, 102, 103]) {
    it(`has everything it acknowledged, whichever it is, seed ${seed}`, async () => {
      for (let failAt = 1, met = true; met; failAt++) {
        const model = StoreModel.empty(new SeededRandom(seed));
        model.engine.failAt = failAt;
        for (let i = 0; i < 400 && !model.failed; i++) model.step();
        if (!model.failed) model.drain();
        met = model.failed;
        if (met) {
          expect(model.store.failure?.sentence).toBe('The disk is full.');
          await expectRecovered(model, failAt % 2 === 0);
        }
      }
    });
  }
});
