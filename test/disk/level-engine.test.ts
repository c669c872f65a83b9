import { expect, it } from 'vitest';
import { LevelEngine } from '../../src/disk/level-engine.js';
import { Batch, type Engine } from '../../src/store/engine.js';
import { engineSuite } from '../store/engine-suite.js';
import { temporaryFolder } from './fixtures.js';

for (const durability of ['power', 'process'] as const) {
  engineSuite(`LevelDB, durability ${durability}`, async () => {
    const engine = await LevelEngine.open({ folder: await temporaryFolder(), durability });
    return { engine, settle: (outcome) => outcome, dispose: () => engine.close() };
  });

  it(`finds what was written when it is opened again, durability ${durability}`, async () => {
    const folder = await temporaryFolder();
    const first = await LevelEngine.open({ folder, durability });
    await write(first, 1);
    await first.close();
    const second = await LevelEngine.open({ folder, durability });
    await write(second, 2);
    const found: number[] = [];
    for (const n of [1, 2]) {
      for await (const { value } of second.scan(Uint8Array.of(n))) found.push(value[0]!);
    }
    await second.close();
    expect(found).toEqual([1, 2]);
  });
}

function write(engine: Engine, n: number): Promise<void> {
  const batch = new Batch();
  batch.put(Uint8Array.of(n), Uint8Array.of(n));
  return new Promise((resolve, reject) => {
    engine.write(batch, (failure) => (failure ? reject(failure) : resolve()));
  });
}
