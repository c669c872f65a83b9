import type { Delivery } from '../../session/delivery.js';
import type { Device } from '../../session/device.js';

/** A message is never taken that was passed over on so many connections in a row. */
const CONNECTIONS_MIN = 5;
/** Of those that count, so much of the patience lies between two at least. */
const APART = 1 / (2 * CONNECTIONS_MIN);

interface Ignored {
  readonly sinceMs: number;
  /** When a connection was counted last, and how many were. */
  readonly countedMs: number;
  readonly connections: number;
}

const NEVER_SEEN = { countedMs: Number.NEGATIVE_INFINITY, connections: 0 };

/**
 * Finds messages that a device ignores which is never there for long: it comes, acknowledges what
 * was sent behind them, and leaves by itself. Pure.
 */
export class IgnoredMessages {
  readonly #ignored = new WeakMap<Device, ReadonlyMap<number, Ignored>>();

  /**
   * The device has ended its connection in order and had passed over these messages of its stored
   * Session. Returns those that it has on so many connections, for `patienceMs`. Connections close
   * together count as one: a bad minute of the link breaks a long job as often as that.
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
      const last = before?.get(delivery.sequence) ?? { ...NEVER_SEEN, sinceMs: nowMs };
      const isApart = nowMs - last.countedMs >= patienceMs * APART;
      const connections = last.connections + (isApart ? 1 : 0);
      const isNever = connections >= CONNECTIONS_MIN && nowMs - last.sinceMs >= patienceMs;
      if (isNever) never.push(delivery);
      else {
        const countedMs = isApart ? nowMs : last.countedMs;
        now.set(delivery.sequence, { sinceMs: last.sinceMs, countedMs, connections });
      }
    }
    this.#ignored.set(device, now);
    return never;
  }
}
