import type { RadioMeter } from '../link/link-usage.js';
import type { Radio } from './radios.js';

export interface EnergyReport {
  /** The radio was asleep, and a packet moved. */
  readonly wakes: number;
  /** Of them those that began with a packet towards the device: somebody else's doing. */
  readonly wakesFromOutside: number;
  readonly milliJoules: number;
  readonly milliAmpereHours: number;
  readonly airtimeMs: number;
  readonly wireBytes: number;
  /** How long two AA cells would last at this pace; infinite on mains. */
  readonly daysOfTwoCells: number;
}

/** Two alkaline AA cells: 2.6 Ah at 3 V, without self-discharge. */
export const TWO_CELLS_MILLIJOULES = 28_000_000;
const CELLS_VOLTS = 3;
const MILLISECONDS_OF_A_DAY = 86_400_000;

/**
 * A device's radio: it wakes for a packet either way, stays up for a while after each, and sleeps.
 * E = wakes x E_wake + tails x P_tail + airtime x P_air + sleep x P_sleep.
 */
export class EnergyMeter implements RadioMeter {
  readonly #radio: Radio;
  readonly #startMs: number;
  /** Device time runs so many times faster than the clock: a day in minutes. */
  readonly #warp: number;
  #awakeUntilMs = Number.NEGATIVE_INFINITY;
  #wakes = 0;
  #wakesFromOutside = 0;
  #awakeMs = 0;
  #airtimeMs = 0;
  #airMilliJoules = 0;
  #wireBytes = 0;

  constructor(radio: Radio, startMs: number, warp = 1) {
    this.#radio = radio;
    this.#startMs = startMs;
    this.#warp = warp;
  }

  packet(way: 'up' | 'down', wireBytes: number, airtimeMs: number, atMs: number): void {
    const { tailMs, sendMilliwatts, receiveMilliwatts } = this.#radio;
    this.#wireBytes += wireBytes;
    this.#airtimeMs += airtimeMs;
    this.#airMilliJoules +=
      (airtimeMs / 1000) * (way === 'up' ? sendMilliwatts : receiveMilliwatts);
    // On mains nothing sleeps, so nothing wakes.
    if (tailMs === 0) return;
    const untilMs = atMs + airtimeMs + tailMs;
    if (atMs > this.#awakeUntilMs) {
      this.#wakes++;
      if (way === 'down') this.#wakesFromOutside++;
      this.#awakeMs += untilMs - atMs;
    } else {
      this.#awakeMs += Math.max(0, untilMs - this.#awakeUntilMs);
    }
    this.#awakeUntilMs = Math.max(this.#awakeUntilMs, untilMs);
  }

  /** All from the beginning to now. */
  report(nowMs: number): EnergyReport {
    const { wakeMilliJoules, tailMilliwatts, sleepMilliwatts } = this.#radio;
    const deviceMs = (nowMs - this.#startMs) * this.#warp;
    const asleepMs = Math.max(0, deviceMs - this.#awakeMs);
    const milliJoules =
      this.#wakes * wakeMilliJoules +
      this.#airMilliJoules +
      (this.#awakeMs / 1000) * tailMilliwatts +
      (asleepMs / 1000) * sleepMilliwatts;
    const days = deviceMs / MILLISECONDS_OF_A_DAY;
    return {
      wakes: this.#wakes,
      wakesFromOutside: this.#wakesFromOutside,
      milliJoules,
      milliAmpereHours: milliJoules / CELLS_VOLTS / 3600,
      airtimeMs: this.#airtimeMs,
      wireBytes: this.#wireBytes,
      daysOfTwoCells:
        milliJoules === 0 ? Number.POSITIVE_INFINITY : (TWO_CELLS_MILLIJOULES / milliJoules) * days,
    };
  }
}
