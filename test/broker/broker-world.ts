import { SeededRandom } from '../../src/base/random.js';
import { Broker } from '../../src/broker/broker.js';
import type { DeviceOptions } from '../../src/broker/devices/device-options.js';
import type { KernelQueues } from '../../src/broker/devices/stalled-readers.js';
import {
  defaultListenerPolicy,
  type Limits,
  type ListenerPolicy,
} from '../../src/session/limits.js';
import type { StoreFailure } from '../../src/session/session-store.js';
import { DurableStore } from '../../src/store/durable-store.js';
import { Batch } from '../../src/store/engine.js';
import { MemoryEngine } from '../../src/store/memory-engine.js';
import { recover } from '../../src/store/recovery.js';
import type { ShareStrategy } from '../../src/topic/shared-subscription.js';
import { ManualEngine } from '../store/manual-engine.js';
import type { Fields } from './packets.js';
import { type LogLine, recordingLogger } from './recording-logger.js';
import { TestClient } from './test-client.js';
import { TestTime } from './test-time.js';

export interface WorldOptions {
  readonly limits?: Partial<Limits>;
  readonly policy?: Partial<ListenerPolicy>;
  /** Writes of the store complete only by `commit`. */
  readonly holdsCommits?: boolean;
  readonly sharingStrategy?: ShareStrategy;
  readonly devices?: Partial<DeviceOptions>;
  readonly kernelQueues?: KernelQueues;
}

const SEED = 7;

/** A whole broker on virtual time, over a disk in memory that outlives it. Nothing moves by itself. */
export class BrokerWorld {
  readonly time: TestTime = new TestTime();
  readonly log: LogLine[] = [];
  readonly clients: TestClient[] = [];
  failure: StoreFailure | undefined = undefined;
  engine: ManualEngine;
  store!: DurableStore;
  broker!: Broker;
  /** Of the listener that connections come through from now on. */
  policy: Partial<ListenerPolicy>;
  readonly #options: WorldOptions;
  #disk: MemoryEngine;

  private constructor(options: WorldOptions) {
    this.#options = options;
    this.policy = options.policy ?? {};
    this.#disk = new MemoryEngine(this.time);
    this.engine = new ManualEngine(this.#disk);
  }

  static async start(options: WorldOptions = {}): Promise<BrokerWorld> {
    const world = new BrokerWorld(options);
    await world.#boot(options.limits ?? {});
    return world;
  }

  /** The process ends without a word, and another one begins on the same disk. */
  async crash(
    keepsBatchInFlight = false,
    limits: Partial<Limits> = this.#options.limits ?? {},
  ): Promise<void> {
    this.engine.crash(keepsBatchInFlight);
    for (const client of this.clients) client.isDead = true;
    this.clients.length = 0;
    this.time.forget();
    this.#disk = await copyOf(this.#disk, this.time);
    this.engine = new ManualEngine(this.#disk);
    await this.#boot(limits);
  }

  async #boot(limits: Partial<Limits>): Promise<void> {
    this.store = new DurableStore({
      engine: this.engine,
      endOfTick: this.time,
      onFailure: (failure) => {
        this.failure = failure;
      },
    });
    this.broker = new Broker({
      clock: this.time,
      timers: this.time.timers,
      endOfTick: this.time,
      random: new SeededRandom(SEED),
      log: recordingLogger(this.log),
      store: this.store,
      limits,
      devices: this.#options.devices,
      kernelQueues: this.#options.kernelQueues,
      ...(this.#options.sharingStrategy && { sharingStrategy: this.#options.sharingStrategy }),
    });
    await recover(this.engine, this.store, this.broker.recovery);
    this.broker.start();
    this.run();
  }

  /** A network connection on which nothing was sent. */
  open(version: 3 | 4 | 5 = 5, host = '192.0.2.1'): TestClient {
    const client = new TestClient(this, version, host);
    client.events = this.broker.accept(client, { ...defaultListenerPolicy, ...this.policy });
    this.clients.push(client);
    return client;
  }

  /** Sends CONNECT on a new connection; the CONNACK is left to be taken. */
  connecting(clientId: string, fields: Fields = {}, version: 3 | 4 | 5 = 5): TestClient {
    const client = this.open(version);
    client.send({ ...connectDefaults(version), clientId, ...fields, cmd: 'connect' });
    return client;
  }

  /** The same, CONNACK taken and checked. */
  connect(clientId: string, fields: Fields = {}, version: 3 | 4 | 5 = 5): TestClient {
    const client = this.connecting(clientId, fields, version);
    if (this.#options.holdsCommits === true) this.commitAll();
    const connack = client.take('connack');
    const code = connack['reasonCode'] ?? connack['returnCode'];
    if (code !== 0) throw new Error(`${clientId} was refused with ${String(code)}`);
    client.connack = connack;
    return client;
  }

  /** Ends turns until nothing is left to do, as far as no commit is waited for. */
  run(): void {
    do {
      this.time.run();
      if (this.#options.holdsCommits !== true) {
        while (this.engine.isWriting) {
          this.engine.complete();
          this.time.run();
        }
      }
      for (const client of this.clients) client.turn();
    } while (!this.time.quiet || this.clients.some((client) => !client.isQuiet));
  }

  /** Completes the write in flight, and with it what waits for its ticket. */
  commit(): void {
    this.engine.complete();
    this.run();
  }

  commitAll(): void {
    this.run();
    while (this.engine.isWriting) this.commit();
  }

  /** Lets promises of hooks settle. */
  async settle(): Promise<void> {
    this.run();
    await new Promise(setImmediate);
    this.run();
  }

  advance(ms: number): void {
    this.time.advance(ms, () => this.run());
  }
}

function connectDefaults(version: 3 | 4 | 5): Fields {
  return {
    protocolId: version === 3 ? 'MQIsdp' : 'MQTT',
    protocolVersion: version,
    clean: true,
    keepalive: 0,
  };
}

/** Every key, so that a write of the dead process that comes late changes nothing. */
async function copyOf(disk: MemoryEngine, time: TestTime): Promise<MemoryEngine> {
  const copy = new MemoryEngine(time);
  const batch = new Batch();
  for (let first = 0; first < 256; first++) {
    for await (const { key, value } of disk.scan(Uint8Array.of(first))) batch.put(key, value);
  }
  copy.write(batch, () => {});
  return copy;
}
