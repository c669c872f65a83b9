import { resolve } from 'node:path';
import type { Clock, EndOfTick, Timers } from '../base/clock.js';
import type { Logger } from '../base/log.js';
import type { Recovery, Store } from '../broker/store.js';
import { LevelEngine } from '../disk/level-engine.js';
import { damaged, StoreOpenError } from '../disk/store-open-error.js';
import type { StoreFailure } from '../session/session-store.js';
import { DamagedRecord } from '../store/damaged-record.js';
import { DurableStore } from '../store/durable-store.js';
import type { Engine } from '../store/engine.js';
import { MemoryEngine } from '../store/memory-engine.js';
import { recover } from '../store/recovery.js';
import type { Config } from './config.js';
import { ExitCode, StartError } from './exit-code.js';

/** Most clients that are there acknowledge sooner; a disk takes about as long for a batch. */
const GRACE_MS = 4;
/** With much to write they take longer, and the disk as well. */
const BUSY_GRACE_MS = 100;

export interface StoreParts {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly endOfTick: EndOfTick;
  readonly log: Logger;
  readonly onFailure: (failure: StoreFailure) => void;
}

export interface OpenStore {
  readonly store: Store;
  /** Tells the broker what was stored; to be awaited before the store is used. */
  recoverInto(recovery: Recovery): Promise<void>;
  /** Ends when everything put so far is durable. */
  close(): Promise<void>;
}

/** Opens what the configuration asks for; rejects with a `StartError` when that cannot be used. */
export async function openStore(config: Config, parts: StoreParts): Promise<OpenStore> {
  const engine = await openEngine(config, parts.endOfTick);
  const { endOfTick, log, onFailure } = parts;
  const { clock, timers } = parts;
  const grace = { clock, timers, graceMs: GRACE_MS, busyGraceMs: BUSY_GRACE_MS };
  const isOnDisk = !(engine instanceof MemoryEngine);
  const store = new DurableStore({
    engine,
    endOfTick,
    grace: isOnDisk ? grace : undefined,
    log,
    onFailure,
  });
  return {
    store,
    recoverInto: async (recovery) => {
      try {
        await recover(engine, store, recovery);
      } catch (error) {
        await engine.close();
        if (!(error instanceof DamagedRecord)) throw error;
        throw refusal(damaged(resolve(config.data), error.message.replace(/\.$/, ''), error));
      }
    },
    close: () => store.close(),
  };
}

async function openEngine(config: Config, endOfTick: EndOfTick): Promise<Engine> {
  const { data, durability, inMemory } = config;
  if (inMemory || durability === 'memory') return new MemoryEngine(endOfTick);
  try {
    return await LevelEngine.open({ folder: resolve(data), durability });
  } catch (error) {
    throw error instanceof StoreOpenError ? refusal(error) : error;
  }
}

/**
 * A folder that may be put right by the user is a failure; what must be restored has its own code.
 */
function refusal(error: StoreOpenError): StartError {
  const unusable = ['locked', 'newer-format', 'damaged'].includes(error.code);
  const exitCode = unusable ? ExitCode.StoreUnusable : ExitCode.Failure;
  return new StartError(exitCode, [error.message], error);
}
