import type { ResentPacket } from '../../session/delivery-watch.js';
import type { Device } from '../../session/device.js';

/** So many connections in a row are a circle … */
const CONNECTIONS_MIN = 5;
/** … that lasts so long where the device has ended each of them in order … */
const SPAN_MS = 10_000;
/** … so many times as long where a link may have done it: a bad one breaks for minutes … */
const RESET_FACTOR = 30;
/** … and so many times as long again where it stayed once: it knows of the exchange, and works. */
const STAYED_FACTOR = 10;
/** The device answers to a PUBREL this soon by leaving, or not to it. */
const BEHIND_MS = 5000;

interface Circle {
  /** Of the exchange whose PUBREL was sent again first, by its place in the queue. */
  sequence: number;
  exits: number;
  sinceMs: number;
  isOrderly: boolean;
  /** The device was sent this PUBREL again once, and did not leave at it. */
  hasStayed: boolean;
  /** What the device itself has sent again first. */
  resent: ResentPacket | undefined;
  repeats: number;
}

/** How a connection has ended on which PUBREL was sent for an exchange of an earlier one. */
export interface PubrelEnd {
  /** The first of them that was not answered. */
  readonly sequence: number;
  /** When that PUBREL was sent, on the monotonic clock. */
  readonly sentMs: number;
  /** The device itself has ended the connection: no link does that. */
  readonly isOrderly: boolean;
}

/**
 * Finds sessions that go in circles: the device leaves whenever it is sent PUBREL for an exchange
 * that it has forgotten, or sends the same packet itself on each connection although it is
 * answered. Pure: times come in, decisions go out.
 */
export class ResendLoops {
  readonly #circles = new WeakMap<Device, Circle>();

  /**
   * A connection has ended on which the device answered nothing, `end` where it was sent PUBREL
   * again. Returns the number of connections that have ended so in a row when that is a circle, and
   * 0 when it is none.
   */
  left(device: Device, end: PubrelEnd | undefined, nowMs: number): number {
    const circle = this.#of(device, end !== undefined);
    if (circle === undefined) return 0;
    if (end === undefined) {
      circle.exits = 0;
      return 0;
    }
    if (circle.sequence !== end.sequence) {
      circle.sequence = end.sequence;
      circle.exits = 0;
      circle.hasStayed = false;
    }
    if (nowMs - end.sentMs > BEHIND_MS) {
      circle.exits = 0;
      circle.hasStayed = true;
      return 0;
    }
    if (circle.exits++ === 0) {
      circle.sinceMs = nowMs;
      circle.isOrderly = true;
    }
    if (!end.isOrderly) circle.isOrderly = false;
    if (circle.exits < CONNECTIONS_MIN || nowMs - circle.sinceMs < spanMs(circle)) return 0;
    const { exits } = circle;
    circle.exits = 0;
    return exits;
  }

  /**
   * A connection has ended on which this was the first packet that the device sent again. Returns
   * on how many in a row it was the same one when that is found out, once for each such row; else
   * 0.
   */
  repeated(device: Device, resent: ResentPacket | undefined): number {
    const circle = this.#of(device, resent !== undefined);
    if (circle === undefined) return 0;
    const { resent: last } = circle;
    const isSame =
      last?.packetIdentifier === resent?.packetIdentifier && last?.type === resent?.type;
    circle.resent = resent;
    circle.repeats = resent === undefined ? 0 : isSame ? circle.repeats + 1 : 1;
    return circle.repeats === CONNECTIONS_MIN ? CONNECTIONS_MIN : 0;
  }

  #of(device: Device, isNeeded: boolean): Circle | undefined {
    let circle = this.#circles.get(device);
    if (circle === undefined && isNeeded) {
      circle = {
        sequence: 0,
        exits: 0,
        sinceMs: 0,
        isOrderly: true,
        hasStayed: false,
        resent: undefined,
        repeats: 0,
      };
      this.#circles.set(device, circle);
    }
    return circle;
  }
}

/** How long a row of connections must last before it is a circle. */
function spanMs({ isOrderly, hasStayed }: Circle): number {
  return SPAN_MS * (isOrderly ? 1 : RESET_FACTOR) * (hasStayed ? STAYED_FACTOR : 1);
}
