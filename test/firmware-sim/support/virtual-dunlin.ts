import type { BrokerUnderTest } from '../../../firmware-sim/broker/broker.js';
import type { Dial, LineEvents } from '../../../firmware-sim/link/line.js';
import type { LogFields, Logger } from '../../../src/base/log.js';
import { SeededRandom } from '../../../src/base/random.js';
import { Broker } from '../../../src/broker/broker.js';
import { type Config, parseConfig } from '../../../src/server/config.js';
import { ListenerPolicies, listenerKeys } from '../../../src/server/listener-policies.js';
import type { ListenerPolicy } from '../../../src/session/limits.js';
import { DurableStore } from '../../../src/store/durable-store.js';
import { MemoryEngine } from '../../../src/store/memory-engine.js';
import { recover } from '../../../src/store/recovery.js';
import { Chance } from '../../sim/chance.js';
import { SimDisk, SimEngine } from '../../sim/sim-engine.js';
import { SimLink } from '../../sim/sim-link.js';
import type { PipeWorld } from '../../sim/sim-pipe.js';
import { VirtualTime } from '../../sim/virtual-time.js';
import { WireTap } from '../../sim/wire-tap.js';
import type { VirtualClock } from './virtual-clock.js';

const SEED = 1;
/** A connection on one machine: so long each way, and so much in between. */
const HOP_MS = 0.1;
const SEND_BUFFER_BYTES = 65_536;
const DISK_MS_MAX = 2;
const GRACE_MS = 4;
const FIRST_PORT = 30_000;
const TURNS_MAX = 1_000;

/**
 * Dunlin with its defaults, as its process runs it, on virtual time: what devices meet depends on
 * no machine. In place of sockets it has pipes that like TCP neither lose nor reorder bytes.
 */
export class VirtualDunlin implements BrokerUnderTest {
  readonly kind = 'dunlin';
  readonly version: string = 'in virtual time';
  readonly host: string = '127.0.0.1';
  /** None that the kernel knows. */
  readonly port: number = 0;
  /** Its memory is that of the test. */
  readonly pid: undefined = undefined;
  readonly log: string[] = [];
  /** What it sent against the rules. */
  readonly violations: string[] = [];
  readonly #clock: VirtualClock;
  readonly #disk: SimDisk | undefined;
  readonly #config: Config;
  readonly #pipes: PipeWorld;
  #life: Life | undefined;
  #ports = FIRST_PORT;

  private constructor(clock: VirtualClock, disk: SimDisk | undefined) {
    const config = parseConfig({ listen: [{ url: 'mqtt://127.0.0.1:1883' }] });
    if (!('listen' in config)) throw new Error('the defaults are no configuration');
    this.#config = config;
    this.#clock = clock;
    this.#disk = disk;
    this.#pipes = {
      get nowMs() {
        return clock.nowMs();
      },
      networkChance: new Chance(SEED),
      latencyMsMax: 0,
      cutting: 'glued',
      after: (delayMs, _, run) => clock.after(delayMs + HOP_MS, run),
      sometimes: () => false,
    };
  }

  /** `persistent`: what it has acknowledged outlives `kill` and `restart`. */
  static async start(clock: VirtualClock, persistent: boolean): Promise<VirtualDunlin> {
    const dunlin = new VirtualDunlin(clock, persistent ? new SimDisk() : undefined);
    await dunlin.restart();
    return dunlin;
  }

  readonly kill = async (): Promise<void> => {
    this.#life?.die();
    this.#life = undefined;
  };

  readonly restart = async (): Promise<void> => {
    const world = {
      after: (delayMs: number, _: string, run: () => void) => this.#clock.after(delayMs, run),
      diskChance: new Chance(SEED),
      diskLatencyMsMax: DISK_MS_MAX,
    };
    const time = new VirtualTime(this.#clock.nowMs());
    const engine =
      this.#disk === undefined ? new MemoryEngine(time) : new SimEngine(world, this.#disk);
    this.#life = await Life.begin(this.#config, time, engine, this.#logger);
  };

  stop(): Promise<void> {
    return this.kill();
  }

  readonly dialFrom =
    (localAddress: string): Dial =>
    (events) => {
      const localPort = this.#ports++;
      const link = this.#open(`${localAddress}:${localPort}`, events);
      return {
        localPort,
        write: (bytes) => link.send(bytes),
        end: () => link.toServer.end(),
        reset: () => link.reset(),
        pause: () => link.toClient.pause(),
        resume: () => link.toClient.resume(),
      };
    };

  /** When one of its timers is due next. */
  nextTimerMs(): number | undefined {
    return this.#life?.time.nextTimerMs();
  }

  /** Its turn of the event loop: it knows what time it is, and ends what it has begun. */
  turn(): void {
    this.#life?.time.moveTo(this.#clock.nowMs());
    this.#life?.time.endTurn();
  }

  #open(name: string, events: LineEvents): SimLink {
    let life: Life | undefined;
    const client = {
      received: (chunk: Uint8Array) => events.data(Buffer.from(chunk)),
      closed: () => events.closed(life?.isDead ?? true),
    };
    const tap = new WireTap(name, {
      violation: (sentence) => this.violations.push(sentence),
      arrived: () => {},
      left: () => {},
    });
    const options = { sendBufferBytes: SEND_BUFFER_BYTES };
    const link = new SimLink(this.#pipes, name, client, tap, options);
    this.#pipes.after(0, '', () => {
      life = this.#life;
      // Nobody listens.
      if (life === undefined) link.reset();
      else {
        life.accept(link);
        events.opened();
      }
    });
    return link;
  }

  get #logger(): Logger {
    const level = (name: string) => (fields: LogFields, sentence: string) => {
      this.log.push(JSON.stringify({ level: name, ...fields, msg: sentence }));
    };
    return { debug: () => {}, info: level('info'), warn: level('warn'), error: level('error') };
  }
}

/** From a start of its process to its end. */
class Life {
  isDead = false;
  readonly time: VirtualTime;
  readonly #engine: MemoryEngine | SimEngine;
  readonly #broker: Broker;
  readonly #policy: ListenerPolicy;
  readonly #links = new Set<SimLink>();

  private constructor(
    time: VirtualTime,
    engine: MemoryEngine | SimEngine,
    broker: Broker,
    policy: ListenerPolicy,
  ) {
    this.time = time;
    this.#engine = engine;
    this.#broker = broker;
    this.#policy = policy;
  }

  static async begin(
    config: Config,
    time: VirtualTime,
    engine: MemoryEngine | SimEngine,
    log: Logger,
  ): Promise<Life> {
    const parts = { clock: time, timers: time.timers, endOfTick: time };
    const store = new DurableStore({
      engine,
      endOfTick: time,
      grace: engine instanceof SimEngine ? { ...parts, graceMs: GRACE_MS } : undefined,
      log,
      onFailure: ({ sentence }) => {
        throw new Error(sentence);
      },
    });
    const broker = new Broker({
      ...parts,
      random: new SeededRandom(SEED),
      log,
      store,
      limits: config.limits,
      devices: { ...config.deviceCare, rules: config.devices },
      sharingStrategy: config.sharingStrategy,
    });
    await recover(engine, store, broker.recovery);
    broker.start();
    const [key] = listenerKeys(config.listen);
    return new Life(time, engine, broker, new ListenerPolicies(config).of(key!));
  }

  accept(link: SimLink): void {
    this.#links.add(link);
    link.serve(this.#broker.accept(link, this.#policy));
  }

  die(): void {
    this.isDead = true;
    if (this.#engine instanceof SimEngine) this.#engine.crash();
    for (const link of this.#links) link.processDied(false);
  }
}

/** Runs what waits for virtual time, and lets that time go by as quickly as this machine can. */
export async function inVirtualTime<T>(
  clock: VirtualClock,
  broker: () => VirtualDunlin | undefined,
  run: () => Promise<T>,
): Promise<T> {
  let isOver = false;
  const result = run().finally(() => {
    isOver = true;
  });
  result.catch(() => {});
  let idle = 0;
  while (!isOver) {
    broker()?.turn();
    await new Promise(setImmediate);
    const dueMs = [clock.nextMs(), broker()?.nextTimerMs()].filter((ms) => ms !== undefined);
    if (dueMs.length === 0) {
      if (++idle > TURNS_MAX) throw new Error('nothing will ever happen again');
      continue;
    }
    idle = 0;
    const nextMs = Math.min(...dueMs);
    if (clock.nextMs() === nextMs) clock.runNext();
    else clock.moveTo(nextMs);
  }
  return result;
}
