import { shortKey } from '../../base/short-key.js';

/** So many take-overs of one Client Identifier … */
const TAKE_OVERS_MIN = 3;
/** … within this time are two clients that drive each other out. */
const WITHIN_MS = 5000;
/** Afterwards, until nobody has come for this long. */
const CALM_MS = 10_000;
/** Between two take-overs, then: below ten a second. */
const SPACING_MS = 150;
/** Nobody waits longer: clients give up after a second. */
const HOLD_MS_MAX = 900;
/** Beyond this many Client Identifiers in trouble at once, what was noted is forgotten. */
const NOTED_MAX = 10_000;

interface Noted {
  timesMs: number[];
  isDamped: boolean;
  lastMs: number;
  /** When the next one may take over. */
  freeMs: number;
}

export interface TakeOverDecision {
  /** How long the new connection has to wait; undefined when too many wait already. */
  readonly holdMs: number | undefined;
  /** Just now it was found that two clients drive each other out. */
  readonly isDetected: boolean;
}

const AT_ONCE: TakeOverDecision = { holdMs: 0, isDetected: false };

/**
 * Finds clients that share a Client Identifier and drive each other out, and slows them down: alone
 * they would do it thousands of times a second. Pure: times come in, decisions go out.
 */
export class TakeOverGuard {
  readonly #noted = new Map<string, Noted>();

  /** A connection is about to take over from another one. */
  judge(clientIdentifier: string, nowMs: number): TakeOverDecision {
    const noted = this.#noteOf(clientIdentifier, nowMs);
    if (nowMs - noted.lastMs > CALM_MS) {
      noted.isDamped = false;
      noted.timesMs = [];
    }
    noted.lastMs = nowMs;
    if (noted.isDamped) {
      const freeMs = Math.max(noted.freeMs, nowMs);
      if (freeMs - nowMs > HOLD_MS_MAX) return { holdMs: undefined, isDetected: false };
      noted.freeMs = freeMs + SPACING_MS;
      return { holdMs: freeMs - nowMs, isDetected: false };
    }
    while (noted.timesMs.length > 0 && nowMs - noted.timesMs[0]! > WITHIN_MS) noted.timesMs.shift();
    noted.timesMs.push(nowMs);
    if (noted.timesMs.length < TAKE_OVERS_MIN) return AT_ONCE;
    noted.isDamped = true;
    noted.freeMs = nowMs + 2 * SPACING_MS;
    return { holdMs: SPACING_MS, isDetected: true };
  }

  /** Whether wills of this Client Identifier are held back. */
  isDamped(clientIdentifier: string, nowMs: number): boolean {
    if (this.#noted.size === 0) return false;
    const noted = this.#noted.get(shortKey(clientIdentifier));
    return noted?.isDamped === true && nowMs - noted.lastMs <= CALM_MS;
  }

  #noteOf(clientIdentifier: string, nowMs: number): Noted {
    const key = shortKey(clientIdentifier);
    let noted = this.#noted.get(key);
    if (noted === undefined) {
      if (this.#noted.size >= NOTED_MAX) this.#noted.clear();
      noted = { timesMs: [], isDamped: false, lastMs: nowMs, freeMs: 0 };
      this.#noted.set(key, noted);
    }
    return noted;
  }
}
