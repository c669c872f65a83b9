import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { LevelEngine } from '../../src/disk/level-engine.js';
import { DurableStore } from '../../src/store/durable-store.js';
import { recover } from '../../src/store/recovery.js';
import { ManualTick } from '../store/fixtures.js';
import { RecordingRecovery } from '../store/recording-recovery.js';
import { temporaryFolder } from './fixtures.js';

const WRITER = fileURLToPath(new URL('./writer-to-kill.ts', import.meta.url));

/** Runs the writer until it has told so many commits, kills it with -9, and returns what it told. */
async function killedAfter(folder: string, durability: string, commits: number): Promise<number> {
  const child = spawn(process.execPath, ['--import', 'tsx', WRITER, folder, durability], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let last = 0;
  for await (const line of createInterface(child.stdout)) {
    last = Number(line);
    if (last >= commits) child.kill('SIGKILL');
  }
  return last;
}

for (const durability of ['power', 'process'] as const) {
  it(`has all that a killed process was told is stored, durability ${durability}`, async () => {
    const folder = await temporaryFolder();
    let told = 0;
    for (let round = 1; round <= 3; round++) {
      told = await killedAfter(folder, durability, told + 150);
      const tick = new ManualTick();
      const engine = await LevelEngine.open({ folder, durability });
      const store = new DurableStore({ engine, endOfTick: tick, onFailure: () => {} });
      const recovery = new RecordingRecovery();
      await recover(engine, store, recovery);
      await engine.close();
      const names = new Set(recovery.retainedMessages.map(({ topicName }) => topicName));
      for (let n = 1; n <= told; n++) expect(names.has(`n/${n}`)).toBe(true);
      expect(recovery.sessions.length).toBeGreaterThanOrEqual(told);
    }
  });
}
