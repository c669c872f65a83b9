import type { Delivery } from '../../session/delivery.js';
import type { Device } from '../../session/device.js';

/** A message is at fault after so many drops in a row with it first in line … */
const FIRST_MIN = 5;
/**
 * … where it was the only one on its way in so many, so that no other can be: one larger than any
 * that the device has acknowledged, and one of a size that it takes.
 */
const LARGER_ALONE_MIN = 3;
const ALONE_MIN = 4;
/** They lie apart: a link that breaks many times a second breaks between messages, too. */
const LARGER_SPAN_MS = 3000;
const SPAN_MS = 10_000;
/** Further where any of them was a reset, which a link makes as well as a device. */
const RESET_FACTOR = 3;
/** The device answers to a message this soon, or not to it. */
const BEHIND_MS = 5000;
/** Drops that no message can be blamed for speak for the link: one for so long, two certainly. */
const LINK_MS = 180_000;

interface Suspect {
  sequence: number;
  first: number;
  alone: number;
  /** The device has ended each connection in order. */
  isOrderly: boolean;
  /** Of the first drop behind it, on the monotonic clock. */
  sinceMs: number;
  /** When the link was last seen to break by itself, and when before, on the monotonic clock. */
  linkMs: number;
  earlierLinkMs: number;
}

/** What was on its way when a device dropped its connection. */
export interface DropEvidence {
  /** First in line: sent on this connection, not acknowledged; of a Session that is stored. */
  readonly delivery: Delivery | undefined;
  /** QoS 1 and 2 messages that were on their way. */
  readonly inFlight: number;
  /** The device has ended the connection in order: no link does that. */
  readonly isOrderly: boolean;
  /** Something was sent within the last seconds, whatever its QoS. */
  readonly isBehindMessages: boolean;
}

/**
 * Finds the message that makes a device drop its connection each time it is sent. Only stored
 * Sessions get a message again, and there its sequence names it. A link that breaks often looks
 * much the same: it breaks without a message too, and behind messages that are acknowledged the
 * next time, and then no message is blamed. Pure: times come in, decisions go out.
 */
export class Suspects {
  readonly #suspects = new WeakMap<Device, Suspect>();

  /** The device has dropped its connection. Whether the message is at fault beyond doubt. */
  dropped(device: Device, evidence: DropEvidence, nowMs: number): boolean {
    const { delivery, inFlight } = evidence;
    const suspect = this.#of(device);
    if (delivery === undefined) {
      if (inFlight === 0 && !evidence.isBehindMessages) brokeByItself(suspect, nowMs);
      return false;
    }
    if (nowMs - delivery.sentMs > BEHIND_MS) {
      brokeByItself(suspect, nowMs);
      return false;
    }
    if (suspect.sequence !== delivery.sequence) {
      // It was alone at a drop and has been taken since: it was not what the drop was about.
      if (suspect.alone > 0) brokeByItself(suspect, nowMs);
      suspect.sequence = delivery.sequence;
      suspect.first = 0;
      suspect.alone = 0;
      suspect.isOrderly = true;
      suspect.sinceMs = nowMs;
    }
    suspect.first++;
    if (inFlight === 1) suspect.alone++;
    if (!evidence.isOrderly) suspect.isOrderly = false;
    if (suspect.first < FIRST_MIN) return false;
    const spanMs = (nowMs - suspect.sinceMs) / (suspect.isOrderly ? 1 : RESET_FACTOR);
    const isLarger = delivery.sentBytes > device.largestAcknowledgedBytes;
    const isAtFault = isLarger
      ? suspect.alone >= LARGER_ALONE_MIN && spanMs >= LARGER_SPAN_MS && !this.isLink(device, nowMs)
      : suspect.alone >= ALONE_MIN && spanMs >= SPAN_MS && nowMs - suspect.linkMs >= LINK_MS;
    if (isAtFault) this.#suspects.delete(device);
    return isAtFault;
  }

  /** Whether the device's drops are those of its link, as far as can be told. */
  isLink(device: Device, nowMs: number): boolean {
    const suspect = this.#suspects.get(device);
    return suspect !== undefined && nowMs - suspect.earlierLinkMs < LINK_MS;
  }

  #of(device: Device): Suspect {
    let suspect = this.#suspects.get(device);
    if (suspect === undefined) {
      const linkMs = Number.NEGATIVE_INFINITY;
      suspect = {
        sequence: 0,
        first: 0,
        alone: 0,
        isOrderly: true,
        sinceMs: 0,
        linkMs,
        earlierLinkMs: linkMs,
      };
      this.#suspects.set(device, suspect);
    }
    return suspect;
  }
}

function brokeByItself(suspect: Suspect, nowMs: number): void {
  suspect.earlierLinkMs = suspect.linkMs;
  suspect.linkMs = nowMs;
  suspect.sequence = 0;
  suspect.first = 0;
  suspect.alone = 0;
}
