import { expect } from 'vitest';
import { LevelEngine } from '../../src/disk/level-engine.js';
import { StoreOpenError } from '../../src/disk/store-open-error.js';
import { Batch, type Engine } from '../../src/store/engine.js';

export async function write(
  engine: Engine,
  from: number,
  to: number,
  valueBytes = 100,
): Promise<void> {
  for (let n = from; n < to; n++) {
    const batch = new Batch();
    batch.put(Uint8Array.of(0x51, n >>> 8, n), new Uint8Array(valueBytes).fill(n));
    await new Promise<void>((resolve, reject) => {
      engine.write(batch, (failure) => (failure ? reject(failure) : resolve()));
    });
  }
}

export async function count(engine: Engine): Promise<number> {
  let found = 0;
  for await (const _ of engine.scan(Uint8Array.of(0x51))) found++;
  return found;
}

export async function openError(folder: string): Promise<StoreOpenError> {
  const outcome = await LevelEngine.open({ folder, durability: 'power' }).catch((error) => error);
  expect(outcome).toBeInstanceOf(StoreOpenError);
  return outcome as StoreOpenError;
}
