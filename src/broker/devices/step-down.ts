import type { Device } from '../../session/device.js';

/** A device is stepped down after this many drops … */
const DROPS_MIN = 3;
/** … or this many with the same message first in line, which it is sent again each time … */
const DROPS_SAME_MIN = 2;
/** … that lie no further apart than this. */
const DROPS_WITHIN_MS = 300_000;
/** Where the link breaks by itself, it takes so many times as many. */
const LINK_FACTOR = 2;
const CALM_MS = 3_600_000;
const CALM_MS_MAX = 7 * 24 * CALM_MS;
/** Beyond this window the device is as any other again. */
const WINDOW_MAX = 8;

/** A drop behind a burst of messages. */
export interface BurstDrop {
  readonly nowMs: number;
  readonly nowWallMs: number;
  /** Of the first unacknowledged message of a stored Session, 0 otherwise. */
  readonly sequence: number;
  /** The link is known to break by itself. */
  readonly isLink: boolean;
}

interface RecentDrops {
  readonly timesMs: number[];
  /** The message that was first in line at the last drop, by its sequence. */
  sequence: number;
  same: number;
}

/**
 * Decides when a device that drops its connection behind bursts is sent one message at a time, and
 * when it may have more again. Pure: times come in, decisions go out.
 */
export class StepDown {
  readonly #recent = new WeakMap<Device, RecentDrops>();

  /**
   * The device has dropped its connection behind a burst of messages. Returns the number of drops
   * when it was stepped down by this one, else 0.
   */
  dropped(device: Device, { nowMs, nowWallMs, sequence, isLink }: BurstDrop): number {
    if (device.steppedDownTo > 1 && !isLink) {
      // It was on its way up: that was too early.
      device.calmMs = Math.min(2 * device.calmMs, CALM_MS_MAX);
      this.#begin(device, nowWallMs);
      return 1;
    }
    if (device.steppedDownTo > 0) {
      device.calmSinceWallMs = nowWallMs;
      return 0;
    }
    const recent = this.#recent.get(device) ?? { timesMs: [], sequence: 0, same: 0 };
    this.#recent.set(device, recent);
    while (recent.timesMs.length > 0 && nowMs - recent.timesMs[0]! > DROPS_WITHIN_MS) {
      recent.timesMs.shift();
    }
    if (recent.timesMs.length === 0) recent.same = 0;
    recent.timesMs.push(nowMs);
    recent.same = sequence > 0 && sequence === recent.sequence ? recent.same + 1 : 1;
    recent.sequence = sequence;
    const drops = recent.timesMs.length;
    const factor = isLink ? LINK_FACTOR : 1;
    const isSame = sequence > 0 && recent.same >= DROPS_SAME_MIN * factor;
    if (drops < DROPS_MIN * factor && !isSame) return 0;
    this.#recent.delete(device);
    device.calmMs = CALM_MS;
    this.#begin(device, nowWallMs);
    return drops;
  }

  /** Whether the device has been calm for long enough to be stepped up; then it was. */
  calm(device: Device, nowWallMs: number): boolean {
    if (device.steppedDownTo === 0) return false;
    if (nowWallMs - device.calmSinceWallMs < device.calmMs) return false;
    device.calmSinceWallMs = nowWallMs;
    device.steppedDownTo = device.steppedDownTo >= WINDOW_MAX ? 0 : 2 * device.steppedDownTo;
    return true;
  }

  #begin(device: Device, nowWallMs: number): void {
    device.steppedDownTo = 1;
    device.calmSinceWallMs = nowWallMs;
  }
}
