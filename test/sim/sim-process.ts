import { silentLogger } from '../../src/base/log.js';
import { Broker } from '../../src/broker/broker.js';
import { defaultListenerPolicy } from '../../src/session/limits.js';
import type {
  NetworkConnection,
  NetworkConnectionEvents,
} from '../../src/session/network-connection.js';
import { DurableStore } from '../../src/store/durable-store.js';
import { recover } from '../../src/store/recovery.js';
import { diskProblems } from '../store/disk-check.js';
import { Chance, derivedSeed } from './chance.js';
import { type SimDisk, SimEngine } from './sim-engine.js';
import { VirtualTime } from './virtual-time.js';
import type { World } from './world.js';

const NO_CARE = { match: {}, stepDown: false, quarantine: false, takeOverDamping: false };

/** One life of the broker's process, from its recovery to its crash. */
export class SimProcess {
  readonly time: VirtualTime;
  readonly engine: SimEngine;
  readonly store: DurableStore;
  readonly broker: Broker;

  private constructor(world: World, disk: SimDisk) {
    const { options } = world;
    this.time = new VirtualTime(world.nowMs, world.chance.below(1_000_000));
    this.engine = new SimEngine(world, disk);
    this.store = new DurableStore({
      engine: this.engine,
      endOfTick: this.time,
      grace: { clock: this.time, timers: this.time.timers, graceMs: options.graceMs },
      // The server ends itself then, with an exit code of its own.
      onFailure: () => world.after(1, 'the store failed', () => world.crashOf(this)),
    });
    this.broker = new Broker({
      clock: this.time,
      timers: this.time.timers,
      endOfTick: this.time,
      random: new Chance(derivedSeed(world.seed, `broker ${world.crashes.length}`)),
      log: options.careForDevices ? { ...silentLogger, warn: world.care.heard } : silentLogger,
      store: this.store,
      // Only some scenarios know what it does, and what it must never do.
      devices: {
        rules: options.careForDevices ? [] : [NO_CARE],
        deadLetterSeconds: 0,
        patienceSeconds: options.patienceSeconds,
        healthTopics: 'off',
      },
      limits: {
        receiveMaximum: options.receiveMaximum,
        queuedMessagesMax: options.queuedMessagesMax,
        queueOverflow: options.queueOverflow,
        outboxBytesMax: options.outboxBytesMax,
        inFlightMax: options.inFlightMax,
        legacyInFlightMax: Math.min(20, options.inFlightMax),
      },
      sharingStrategy: options.sharingStrategy,
    });
  }

  static async start(world: World, disk: SimDisk): Promise<SimProcess> {
    const process = new SimProcess(world, disk);
    for (const problem of await diskProblems(process.engine)) world.oracle.violation(problem);
    await recover(process.engine, process.store, process.broker.recovery);
    process.broker.start();
    return process;
  }

  accept(network: NetworkConnection): NetworkConnectionEvents {
    return this.broker.accept(network, defaultListenerPolicy);
  }

  crash(): void {
    this.engine.crash();
  }
}
