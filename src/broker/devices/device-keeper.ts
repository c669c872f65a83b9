import { type Clock, TimerEntry, type Timers } from '../../base/clock.js';
import { type Device, UNLIMITED } from '../../session/device.js';
import type { Store } from '../store.js';
import { deviceOf, lastSeenWallMs, recordOf } from './device-record.js';
import type { DeviceRegistry } from './device-registry.js';
import type { HealthTopics } from './health-topics.js';

/** What has changed is stored and told this often. */
const KEEP_MS = 60_000;

/**
 * Keeps what is known of devices across restarts, never on the path of a message: what has changed
 * is written once a minute, and what was learned at once.
 */
export class DeviceKeeper extends TimerEntry {
  readonly #registry: DeviceRegistry;
  readonly #store: Pick<Store, 'putDevice' | 'removeDevice'>;
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #topics: HealthTopics | undefined;
  readonly #keptMs: number;
  /** Not those that were forgotten since: many may come once, in a minute. */
  #changed = new Set<Device>();
  #restored: Device[] = [];

  constructor(parts: {
    readonly registry: DeviceRegistry;
    readonly store: Pick<Store, 'putDevice' | 'removeDevice'>;
    readonly clock: Clock;
    readonly timers: Timers;
    readonly topics: HealthTopics | undefined;
    /** A device that was not seen for so long is forgotten at the next start. */
    readonly keptSeconds: number;
  }) {
    super(keep);
    this.#registry = parts.registry;
    this.#store = parts.store;
    this.#clock = parts.clock;
    this.#timers = parts.timers;
    this.#topics = parts.topics;
    this.#keptMs = parts.keptSeconds * 1000;
  }

  restore(record: Parameters<typeof deviceOf>[0]): void {
    this.#restored.push(deviceOf(record));
  }

  /** All is restored: those seen last are kept, as far as the registry goes. */
  start(): void {
    const devices = this.#restored.sort((a, b) => lastSeenWallMs(a) - lastSeenWallMs(b));
    this.#restored = [];
    const sinceWallMs = this.#clock.wallMs() - this.#keptMs;
    for (const device of devices) {
      if (lastSeenWallMs(device) < sinceWallMs) this.#store.removeDevice(device.clientIdentifier);
      else {
        this.#registry.put(device);
        this.#topics?.changed(device);
      }
    }
  }

  /** Something that matters has changed. */
  changed(device: Device): void {
    this.#changed.add(device);
    if (!this.armed) this.#timers.arm(this, KEEP_MS);
  }

  /** It is to outlive a crash from now on. */
  learned(device: Device): void {
    device.isStored = true;
    this.#store.putDevice(recordOf(device));
    this.changed(device);
  }

  forgotten(device: Device): void {
    this.#changed.delete(device);
    if (device.isStored) this.#store.removeDevice(device.clientIdentifier);
    this.#topics?.forgotten(device);
  }

  /** Writes and tells what has changed. */
  keep(): void {
    const changed = this.#changed;
    this.#changed = new Set();
    for (const device of changed) {
      if (this.#registry.get(device.clientIdentifier) !== device) continue;
      this.#topics?.changed(device);
      // Of the many that come once and never again nothing is to be known.
      if (!device.isStored && !isWorthKeeping(device)) continue;
      device.isStored = true;
      this.#store.putDevice(recordOf(device));
    }
  }
}

function isWorthKeeping(device: Device): boolean {
  const { drops, takeOvers, deadLettered, oversize, droppedQoS0, resendLoops } = device;
  const troubles = drops + takeOvers + deadLettered + oversize + droppedQoS0 + resendLoops;
  return (
    troubles + device.stalls + device.slowLinks > 0 ||
    device.connections > 1 ||
    device.steppedDownTo > 0 ||
    device.packetBytesMax !== UNLIMITED
  );
}

function keep(entry: TimerEntry): void {
  if (entry instanceof DeviceKeeper) entry.keep();
}
