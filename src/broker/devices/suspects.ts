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
const SPAN_MS = 30_000;
/** Further where resets are among them, which a link makes as well as a device. */
const RESET_FACTOR = 10;
/** The device answers to a message this soon, or not to it. */
const BEHIND_MS = 5000;
/**
 * Drops that no message can be blamed for speak for the link: one for so long and for so many drops
 * of a device that is seldom there, two certainly.
 */
const LINK_MS = 180_000;
const LINK_DROPS = 20;

/** Drops in a row behind the same message. */
interface Streak {
  first: number;
  alone: number;
  /** Of the first of them, on the monotonic clock. */
  sinceMs: number;
}

/** When the link was seen to break by itself, on the monotonic clock, and drops since then. */
interface LinkBreak {
  readonly atMs: number;
  drops: number;
}

interface Suspect {
  sequence: number;
  all: Streak;
  /** The device has ended these connections in order. */
  orderly: Streak;
  /** The last one, and the one before. */
  broke: LinkBreak | undefined;
  brokeBefore: LinkBreak | undefined;
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
      if (suspect.all.alone > 0) brokeByItself(suspect, nowMs);
      begin(suspect, delivery.sequence);
    }
    if (suspect.broke !== undefined) suspect.broke.drops++;
    if (suspect.brokeBefore !== undefined) suspect.brokeBefore.drops++;
    const isAlone = inFlight === 1;
    count(suspect.all, isAlone, nowMs);
    if (evidence.isOrderly) count(suspect.orderly, isAlone, nowMs);
    const isLarger = delivery.sentBytes > device.largestAcknowledgedBytes;
    if (isRecent(isLarger ? suspect.brokeBefore : suspect.broke, nowMs)) return false;
    const isAtFault =
      isEnough(suspect.orderly, isLarger, nowMs, 1) ||
      isEnough(suspect.all, isLarger, nowMs, RESET_FACTOR);
    if (isAtFault) this.#suspects.delete(device);
    return isAtFault;
  }

  /** Whether the device's drops are those of its link, as far as can be told. */
  isLink(device: Device, nowMs: number): boolean {
    return isRecent(this.#suspects.get(device)?.brokeBefore, nowMs);
  }

  #of(device: Device): Suspect {
    let suspect = this.#suspects.get(device);
    if (suspect === undefined) {
      suspect = {
        sequence: 0,
        all: newStreak(),
        orderly: newStreak(),
        broke: undefined,
        brokeBefore: undefined,
      };
      this.#suspects.set(device, suspect);
    }
    return suspect;
  }
}

function isEnough(streak: Streak, isLarger: boolean, nowMs: number, factor: number): boolean {
  const { first, alone, sinceMs } = streak;
  if (first < FIRST_MIN || alone < (isLarger ? LARGER_ALONE_MIN : ALONE_MIN)) return false;
  return nowMs - sinceMs >= factor * (isLarger ? LARGER_SPAN_MS : SPAN_MS);
}

function isRecent(broke: LinkBreak | undefined, nowMs: number): boolean {
  return broke !== undefined && (nowMs - broke.atMs < LINK_MS || broke.drops < LINK_DROPS);
}

function count(streak: Streak, isAlone: boolean, nowMs: number): void {
  if (streak.first++ === 0) streak.sinceMs = nowMs;
  if (isAlone) streak.alone++;
}

function newStreak(): Streak {
  return { first: 0, alone: 0, sinceMs: 0 };
}

function begin(suspect: Suspect, sequence: number): void {
  suspect.sequence = sequence;
  suspect.all = newStreak();
  suspect.orderly = newStreak();
}

function brokeByItself(suspect: Suspect, nowMs: number): void {
  suspect.brokeBefore = suspect.broke;
  suspect.broke = { atMs: nowMs, drops: 0 };
  begin(suspect, 0);
}
