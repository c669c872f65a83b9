import type { NetworkConnectionEvents } from '../../src/session/network-connection.js';
import { Chance, derivedSeed } from './chance.js';
import { DeviceCareWatch } from './device-care.js';
import { EventQueue, type SimEvent } from './event-queue.js';
import { Oracle } from './oracle.js';
import type { EngineWorld } from './sim-engine.js';
import { SimDisk } from './sim-engine.js';
import { type LinkClient, SimLink } from './sim-link.js';
import type { Cutting, PipeWorld } from './sim-pipe.js';
import { SimProcess } from './sim-process.js';
import type { SwarmOptions } from './swarm.js';
import { Trace } from './trace.js';
import { WireTap } from './wire-tap.js';

const RESTART_MS = 150;
const SOMETIMES_ENABLED_PERCENT = 25;
const SOMETIMES_PERCENT = 20;
const EVENTS_MAX = 400_000;

/** One seed: the clock, the network, the disk, the broker's processes and everybody's clients. */
export class World implements PipeWorld, EngineWorld {
  readonly seed: number;
  readonly options: SwarmOptions;
  readonly trace: Trace;
  readonly oracle: Oracle;
  readonly care: DeviceCareWatch;
  readonly disk: SimDisk = new SimDisk();
  /** For clients and for the faults of a scenario. */
  readonly chance: Chance;
  readonly networkChance: Chance;
  readonly diskChance: Chance;
  readonly #tieChance: Chance;
  readonly #queue = new EventQueue();
  readonly #sometimes = new Map<string, boolean>();
  readonly links: Set<SimLink> = new Set<SimLink>();
  process: SimProcess | undefined = undefined;
  nowMs = 0;
  /** Counts events: the oracle's time. */
  step = 0;
  crashes: number[] = [];
  /** From here on nothing goes wrong any more. */
  calmSinceMs: number = Number.POSITIVE_INFINITY;
  #sequence = 0;
  #linkNumber = 0;

  constructor(seed: number, options: SwarmOptions, linesKept?: number) {
    this.seed = seed;
    this.options = options;
    this.trace = new Trace(linesKept);
    this.chance = new Chance(derivedSeed(seed, 'clients'));
    this.networkChance = new Chance(derivedSeed(seed, 'network'));
    this.diskChance = new Chance(derivedSeed(seed, 'disk'));
    this.#tieChance = new Chance(derivedSeed(seed, 'ties'));
    this.oracle = new Oracle(this);
    this.care = new DeviceCareWatch((sentence) => this.oracle.violation(sentence));
    this.disk.failAtWrite = options.failAtWrite;
    this.disk.failAtRead = options.failAtRead;
  }

  get latencyMsMax(): number {
    return this.isCalm ? 1 : this.options.latencyMsMax;
  }

  get cutting(): Cutting {
    return this.options.cutting;
  }

  get diskLatencyMsMax(): number {
    return this.isCalm ? 1 : this.options.diskLatencyMsMax;
  }

  after(delayMs: number, label: string, run: () => void | Promise<void>): SimEvent {
    const event: SimEvent = {
      atMs: this.nowMs + delayMs,
      tie: this.#tieChance.below(8),
      sequence: this.#sequence++,
      label,
      run,
      cancelled: false,
    };
    this.#queue.push(event);
    return event;
  }

  sometimes(name: string): boolean {
    let isEnabled = this.#sometimes.get(name);
    if (isEnabled === undefined) {
      isEnabled = this.networkChance.percent(SOMETIMES_ENABLED_PERCENT);
      this.#sometimes.set(name, isEnabled);
    }
    return isEnabled && !this.isCalm && this.networkChance.percent(SOMETIMES_PERCENT);
  }

  get isCalm(): boolean {
    return this.nowMs >= this.calmSinceMs;
  }

  async boot(): Promise<void> {
    this.process = await SimProcess.start(this, this.disk);
    this.trace.add(`${this.nowMs} boot`);
  }

  /** The process dies without a word; another one starts over the same disk. */
  crash(): void {
    const { process } = this;
    if (process === undefined) return;
    this.trace.add(`${this.nowMs} crash`);
    this.crashes.push(this.nowMs);
    this.process = undefined;
    this.oracle.addDrops(process.broker.statistics.dropped);
    this.care.deadLettered += process.broker.statistics.deadLettered;
    process.crash();
    for (const link of this.links) link.processDied(this.networkChance.percent(50));
    this.links.clear();
    // The next disk is sound: what is looked at is what the failure left.
    if (process.engine.failed) this.disk.repair();
    this.after(RESTART_MS, 'restart', () => this.boot());
  }

  /** The same, unless another process has taken its place. */
  crashOf(process: SimProcess): void {
    if (this.process === process) this.crash();
  }

  /** A client connects; undefined where nobody listens. */
  connect(name: string, client: LinkClient): SimLink | undefined {
    const { process } = this;
    if (process === undefined) return undefined;
    const label = `${name}:${++this.#linkNumber}`;
    const tap = new WireTap(label, {
      violation: (sentence) => this.oracle.violation(sentence),
      arrived: (publish) => this.oracle.arrived(publish),
      // What is paced is on its way: it waits for the device, not for the broker.
      left: (publish) =>
        this.oracle.left(publish, this.care.paced.has(name) ? 0 : link.fullSinceMs),
    });
    const { sendBufferBytes } = this.options;
    const link = new SimLink(this, label, client, tap, { sendBufferBytes });
    const events: NetworkConnectionEvents = process.accept(link);
    this.links.add(link);
    link.serve({
      receive: (chunk) => {
        this.trace.addBytes(chunk);
        events.receive(chunk);
      },
      drained: () => events.drained(),
      networkClosed: (cause) => {
        this.links.delete(link);
        events.networkClosed(cause);
      },
    });
    return link;
  }

  /** Runs everything up to a virtual time. */
  async run(untilMs: number): Promise<void> {
    while (this.oracle.violations.length === 0) {
      const event = this.#queue.peek();
      const timerMs = this.process?.time.nextTimerMs() ?? Number.POSITIVE_INFINITY;
      const nextMs = Math.max(
        this.nowMs,
        Math.min(event?.atMs ?? Number.POSITIVE_INFINITY, timerMs),
      );
      if (nextMs > untilMs) break;
      this.nowMs = nextMs;
      if (++this.step > EVENTS_MAX) throw new Error('the world does not come to rest');
      await this.#runOne(event !== undefined && event.atMs <= nextMs);
    }
    this.nowMs = Math.max(this.nowMs, untilMs);
  }

  async #runOne(hasEvent: boolean): Promise<void> {
    try {
      this.process?.time.moveTo(this.nowMs);
      if (hasEvent) {
        const event = this.#queue.pop()!;
        this.trace.add(`${this.nowMs} ${event.label}`);
        await event.run();
      }
      const isSameTime = this.#queue.peek()?.atMs === this.nowMs;
      const isGlued = isSameTime && this.networkChance.percent(this.options.glueTurnsPercent);
      if (!isGlued) this.process?.time.endTurn();
    } catch (error) {
      this.oracle.violation(`threw: ${error instanceof Error ? error.stack : String(error)}`);
    }
  }
}
