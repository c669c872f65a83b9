import type { Delivery } from '../../session/delivery.js';
import type { Device } from '../../session/device.js';

/**
 * A message is at fault after so many drops in a row where it was the only one on its way, so that
 * no other can be.
 */
const ALONE_MIN = 3;

interface Suspect {
  sequence: number;
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
      known?.sequence === delivery.sequence ? known : { sequence: delivery.sequence, alone: 0 };
    if (isAlone) suspect.alone++;
    if (suspect.alone < ALONE_MIN) {
      this.#suspects.set(device, suspect);
      return false;
    }
    this.#suspects.delete(device);
    return true;
  }
}
