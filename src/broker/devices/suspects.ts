import type { Delivery } from '../../session/delivery.js';
import type { Device } from '../../session/device.js';

/** A message is at fault after this many drops in a row with it first in line … */
const DROPS_MIN = 3;
/** … and this many where it was the only one on its way, so that no other can be at fault. */
const ALONE_MIN = 2;

interface Suspect {
  sequence: number;
  drops: number;
  alone: number;
}

/**
 * Finds the message that makes a device drop its connection each time it is sent. Only stored
 * Sessions get a message again, and there its sequence names it. Pure.
 */
export class Suspects {
  readonly #suspects = new WeakMap<Device, Suspect>();

  /**
   * The device has dropped its connection shortly behind this message, the first unacknowledged
   * one; `isAlone` where no other was on its way. Whether it is at fault beyond doubt.
   */
  dropped(device: Device, delivery: Delivery, isAlone: boolean): boolean {
    if (delivery.sequence === 0) return false;
    const known = this.#suspects.get(device);
    const suspect =
      known?.sequence === delivery.sequence
        ? known
        : { sequence: delivery.sequence, drops: 0, alone: 0 };
    suspect.drops++;
    if (isAlone) suspect.alone++;
    if (suspect.drops < DROPS_MIN || suspect.alone < ALONE_MIN) {
      this.#suspects.set(device, suspect);
      return false;
    }
    this.#suspects.delete(device);
    return true;
  }
}
