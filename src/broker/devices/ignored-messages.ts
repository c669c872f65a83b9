import type { Delivery } from '../../session/delivery.js';
import type { Device } from '../../session/device.js';

/** A message is never taken that was passed over on so many connections in a row. */
const CONNECTIONS_MIN = 5;

interface Ignored {
  readonly sinceMs: number;
  readonly connections: number;
}

/**
 * Finds messages that a device ignores which is never there for long: it comes, acknowledges what
 * was sent behind them, and leaves by itself. Pure.
 */
export class IgnoredMessages {
  readonly #ignored = new WeakMap<Device, ReadonlyMap<number, Ignored>>();

  /**
   * The device has ended its connection in order and had passed over these messages of its stored
   * Session. Returns those that it has on so many connections, for `patienceMs`.
   */
  left(
    device: Device,
    passedOver: readonly Delivery[],
    nowMs: number,
    patienceMs: number,
  ): Delivery[] {
    const before = this.#ignored.get(device);
    if (passedOver.length === 0) {
      if (before !== undefined) this.#ignored.delete(device);
      return [];
    }
    const now = new Map<number, Ignored>();
    const never: Delivery[] = [];
    for (const delivery of passedOver) {
      const { sinceMs, connections } = before?.get(delivery.sequence) ?? {
        sinceMs: nowMs,
        connections: 0,
      };
      const isNever = connections + 1 >= CONNECTIONS_MIN && nowMs - sinceMs >= patienceMs;
      if (isNever) never.push(delivery);
      else now.set(delivery.sequence, { sinceMs, connections: connections + 1 });
    }
    this.#ignored.set(device, now);
    return never;
  }
}
