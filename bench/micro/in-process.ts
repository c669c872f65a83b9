import type { Clock, EndOfTick, TickTask, Timers } from '../../src/base/clock.js';
import { silentLogger } from '../../src/base/log.js';
import { SeededRandom } from '../../src/base/random.js';
import { TimerWheel } from '../../src/base/timer-wheel.js';
import { Broker } from '../../src/broker/broker.js';
import { defaultListenerPolicy } from '../../src/session/limits.js';
import type {
  NetworkConnection,
  NetworkConnectionEvents,
  Peer,
  WriteRelease,
} from '../../src/session/network-connection.js';
import { DurableStore } from '../../src/store/durable-store.js';
import { MemoryEngine } from '../../src/store/memory-engine.js';

/** Turns that end when they are told to, at a time that stands still. */
export class ManualTick implements Clock, EndOfTick {
  nowMs = 1;
  readonly timers: Timers = new TimerWheel(0);
  #commits: TickTask[] = [];
  #flushes: TickTask[] = [];
  #spare: TickTask[] = [];

  wallMs(): number {
    return this.nowMs;
  }

  commit(task: TickTask): void {
    this.#commits.push(task);
  }

  flush(task: TickTask): void {
    this.#flushes.push(task);
  }

  /** As the real one does it: with lists that are used again. */
  end(): void {
    const commits = this.#commits;
    this.#commits = this.#spare;
    for (let i = 0; i < commits.length; i++) commits[i]!.endOfTick();
    commits.length = 0;
    const flushes = this.#flushes;
    this.#flushes = commits;
    for (let i = 0; i < flushes.length; i++) flushes[i]!.endOfTick();
    flushes.length = 0;
    this.#spare = flushes;
  }
}

/** A network that takes everything at once and only counts. */
export class CountingNetwork implements NetworkConnection {
  readonly peer: Peer = { address: '192.0.2.1:1', host: '192.0.2.1', listener: 'mqtt://x:1883' };
  readonly unsentBytes = 0;
  bytes = 0;

  write(parts: readonly Uint8Array[], release: WriteRelease): void {
    for (let i = 0; i < parts.length; i++) this.bytes += parts[i]!.length;
    release.written(parts);
  }

  pauseReading(): void {}
  resumeReading(): void {}
  close(): void {}
}

export interface InProcessClient {
  readonly network: CountingNetwork;
  readonly events: NetworkConnectionEvents;
}

/** The broker without a socket and without a disk. */
export class InProcessBroker {
  readonly tick: ManualTick = new ManualTick();
  readonly #broker: Broker;

  constructor() {
    const { tick } = this;
    const store = new DurableStore({
      engine: new MemoryEngine(tick),
      endOfTick: tick,
      onFailure: () => {},
    });
    this.#broker = new Broker({
      clock: tick,
      timers: tick.timers,
      endOfTick: tick,
      random: new SeededRandom(1),
      log: silentLogger,
      store,
    });
    this.#broker.start();
  }

  connect(...packets: Uint8Array[]): InProcessClient {
    const network = new CountingNetwork();
    const events = this.#broker.accept(network, defaultListenerPolicy);
    for (const packet of packets) {
      events.receive(packet);
      this.tick.end();
    }
    return { network, events };
  }
}
