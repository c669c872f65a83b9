import { type Clock, every, realClock, type Timer } from '../base/clock.js';
import { type Random, seededRandom } from '../base/random.js';
import { Samples } from '../base/samples.js';
import type { BrokerUnderTest } from '../broker/broker.js';
import { type Behaviour, PLAIN } from '../device/behaviour.js';
import { Device, type DeviceOptions } from '../device/device.js';
import { gatedDial, type PacketMoment } from '../device/packet-gate.js';
import { EnergyMeter } from '../energy/energy-meter.js';
import { radioOf } from '../energy/radios.js';
import type { Dial } from '../link/line.js';
import { Link, type LinkOptions, type Trace } from '../link/link.js';
import { type LinkProfile, NO_LIMIT } from '../link/profile.js';
import { byteSplit } from '../link/profiles.js';
import { tcpDial } from '../link/tcp.js';
import { Ledger } from './ledger.js';
import { type Measure, virtualMeasure, Yardstick } from './yardstick.js';

export type Scale = 'ci' | 'full';

export interface WorldOptions {
  readonly broker: BrokerUnderTest;
  readonly seed: number;
  readonly scale: Scale;
  readonly byteSplit: boolean;
  readonly say: (text: string) => void;
  /** Left out: that of this machine. */
  readonly clock?: Clock;
}

export interface PlacedDevice {
  readonly name: string;
  readonly device: Device;
  readonly link: Link;
  readonly energy: EnergyMeter;
}

export type PlacedOptions = Omit<DeviceOptions, 'clock' | 'dial'> & {
  readonly profile?: LinkProfile;
  readonly tap?: NonNullable<LinkOptions['tap']>;
  readonly trace?: Trace;
  /** False: also with `--byte-split` its link stays as it is. */
  readonly splits?: boolean;
  /** Address the broker sees, of 127.0.0.0/8. */
  readonly localAddress?: string;
  /** Device time runs so many times faster than the clock. */
  readonly warp?: number;
  /** What it reaches in place of the broker. */
  readonly reaches?: Dial;
  /** The same name gives a link the same jitter; its Client Identifier when left out. */
  readonly linkName?: string;
  /** Told of every packet as the device sees it; see `gatedDial`. */
  readonly strike?: (moment: PacketMoment) => boolean;
};

const LOOK_EVERY_MS = 20;
const BACKEND_UP_MS_MAX = 60_000;
const END_MS_MAX = 5_000;
/** What is not random is the same in each run, except where the broker remembers runs. */
const RUN_LETTERS = 4;

/** One broker and the devices around it, for one scenario. */
export class World {
  readonly broker: BrokerUnderTest;
  readonly scale: Scale;
  readonly seed: number;
  readonly byteSplit: boolean;
  readonly say: (text: string) => void;
  readonly ledger: Ledger = new Ledger();
  readonly clock: Clock;
  /** First level of all topics and beginning of all Client Identifiers. */
  readonly prefix: string;
  readonly startedMs: number;
  readonly #placed: PlacedDevice[] = [];
  readonly #backends: Device[] = [];
  readonly #persistent = new Map<string, Behaviour['version']>();
  #yardstick: Promise<Measure> | undefined;

  constructor(options: WorldOptions) {
    this.broker = options.broker;
    this.scale = options.scale;
    this.seed = options.seed;
    this.byteSplit = options.byteSplit;
    this.say = options.say;
    this.clock = options.clock ?? realClock;
    this.startedMs = this.clock.nowMs();
    const letters = options.broker.kind === 'external' ? process.pid.toString(36) : '';
    this.prefix = `sim${letters.slice(-RUN_LETTERS)}`;
  }

  get placed(): readonly PlacedDevice[] {
    return this.#placed;
  }

  /** Client Identifiers of devices with sessions, and the version they speak. */
  get persistent(): ReadonlyMap<string, Behaviour['version']> {
    return this.#persistent;
  }

  nowMs(): number {
    return this.clock.nowMs();
  }

  /** One for all who ask; it goes with the world. */
  async yardstick(): Promise<Measure> {
    if (this.clock !== realClock) return virtualMeasure;
    this.#yardstick ??= Yardstick.start(this.clock);
    return this.#yardstick;
  }

  /** A stream of its own for each name. */
  random(name: string): Random {
    return seededRandom(this.seed, name);
  }

  /** As the scale asks. */
  pick<T>(ci: T, full: T): T {
    return this.scale === 'ci' ? ci : full;
  }

  /** A device behind a link of its own; `start` it when its time has come. */
  place(options: PlacedOptions): PlacedDevice {
    const { profile = NO_LIMIT, tap, trace, splits = true, localAddress, warp } = options;
    const { strike, reaches, linkName, ...rest } = options;
    const name = linkName ?? nameOf(options, this.#placed.length);
    const link = new Link({
      clock: this.clock,
      random: this.random(`link ${name}`),
      profile: this.byteSplit && splits ? byteSplit(profile) : profile,
      dial: reaches ?? this.dial(localAddress),
      ...(tap !== undefined && { tap }),
      ...(trace !== undefined && { trace }),
    });
    const energy = new EnergyMeter(radioOf(profile.radio), this.nowMs(), warp);
    link.usage.meter = energy;
    const open: Dial = (events) => link.dial(events);
    const dial = strike === undefined ? open : gatedDial(open, strike);
    const device = new Device({ ...rest, clock: this.clock, dial });
    if (reaches === undefined) this.#rememberSession(options);
    const placed = { name, device, link, energy };
    this.#placed.push(placed);
    return placed;
  }

  /** A client on a server: no link, no limits, not split. */
  async backend(
    name: string,
    options: Partial<Omit<PlacedOptions, 'behaviour'>> & { behaviour?: Partial<Behaviour> } = {},
  ): Promise<Device> {
    const device = new Device({
      ...options,
      clientIdentifier: `${this.prefix}-${name}`,
      behaviour: { ...PLAIN, inFlightMax: 1_000, ...options.behaviour },
      clock: this.clock,
      dial: this.dial(),
    });
    this.#backends.push(device);
    device.start();
    await device.up(BACKEND_UP_MS_MAX);
    return device;
  }

  /** What all of them measured, as one. */
  samplesOf(
    devices: readonly PlacedDevice[],
    measured: (device: PlacedDevice) => Samples,
  ): Samples {
    const all = new Samples();
    for (const device of devices) all.addAll(measured(device).values);
    return all;
  }

  /** Straight to the broker, without a link in between. */
  dial(localAddress?: string): Dial {
    const { host, port, dialFrom } = this.broker;
    if (dialFrom !== undefined) return dialFrom(localAddress ?? host);
    return tcpDial({ host, port, ...(localAddress !== undefined && { localAddress }) });
  }

  wait(waitMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.clock.after(waitMs, resolve);
    });
  }

  every(everyMs: number, run: () => void): Timer {
    return every(this.clock, everyMs, run);
  }

  /** True as soon as it holds; false when it does not in time. */
  async until(holds: () => boolean, waitMs: number): Promise<boolean> {
    const untilMs = this.nowMs() + waitMs;
    while (!holds()) {
      if (this.nowMs() >= untilMs) return false;
      await this.wait(LOOK_EVERY_MS);
    }
    return true;
  }

  /**
   * Lines of the broker's log that name somebody and match; undefined when nobody can read it.
   * Brokers have their own words, so a pattern allows for several.
   */
  logLines(name: string, pattern: RegExp): readonly string[] | undefined {
    return this.broker.log?.filter((line) => line.includes(name) && pattern.test(line));
  }

  /** Comes once in the place of a device that is away, and leaves no session behind. */
  async endSession(clientIdentifier: string): Promise<void> {
    const version = this.#persistent.get(clientIdentifier) ?? PLAIN.version;
    const behaviour: Behaviour = { ...PLAIN, version, clean: true };
    const dial = this.dial();
    const device = new Device({ clientIdentifier, behaviour, clock: this.clock, dial });
    device.start();
    await device.up(END_MS_MAX).catch(() => {});
    device.stop();
  }

  /** Nothing of any device goes on, and its sessions stay. */
  powerOff(): void {
    for (const { device, link } of this.#placed) {
      device.powerOff();
      link.close();
    }
  }

  /** Takes everything down, and the sessions that would stay behind. */
  async close(): Promise<void> {
    this.powerOff();
    for (const device of this.#backends) device.stop();
    (await this.#yardstick)?.stop();
    if (this.broker.kind === 'external') await this.#endSessions();
  }

  #rememberSession({ behaviour, clientIdentifier }: PlacedOptions): void {
    if (behaviour.clean || typeof clientIdentifier !== 'string') return;
    this.#persistent.set(clientIdentifier, behaviour.version);
  }

  /** A broker that is not ours is left without our sessions. */
  async #endSessions(): Promise<void> {
    await Promise.all([...this.#persistent.keys()].map((name) => this.endSession(name)));
  }
}

function nameOf({ clientIdentifier }: PlacedOptions, count: number): string {
  return typeof clientIdentifier === 'string' ? clientIdentifier : `device ${count}`;
}
