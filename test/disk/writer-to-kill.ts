import type { EndOfTick, TickTask } from '../../src/base/clock.js';
import { LevelEngine } from '../../src/disk/level-engine.js';
import { DurableStore } from '../../src/store/durable-store.js';
import { recover } from '../../src/store/recovery.js';
import { messageOf, sessionOf } from '../store/fixtures.js';
import { RecordingRecovery } from '../store/recording-recovery.js';

/** Writes `n/1`, `n/2`, … and a Session with each, and tells the last number that is committed. */
const [folder, durability] = process.argv.slice(2);

class Immediate implements EndOfTick {
  commit(task: TickTask): void {
    setImmediate(() => task.endOfTick());
  }

  flush(task: TickTask): void {
    this.commit(task);
  }
}

const engine = await LevelEngine.open({
  folder: folder!,
  durability: durability === 'power' ? 'power' : 'process',
});
const store = new DurableStore({
  engine,
  endOfTick: new Immediate(),
  onFailure: (failure) => {
    throw new Error(failure.sentence);
  },
});
const recovery = new RecordingRecovery();
await recover(engine, store, recovery);

let n = recovery.retainedMessages.length;
const next = (): void => {
  for (let i = 0; i < 7; i++) {
    n++;
    store.putRetained(messageOf(`n/${n}`, 200));
    const number = store.nextSessionNumber();
    store.putSession(sessionOf(number, `client-${number}`));
  }
  const last = n;
  store.afterCommit({
    committed: () => {
      process.stdout.write(`${last}\n`);
      next();
    },
  });
};
next();
