import { type Clock, TimerEntry, type Timers } from '../base/clock.js';

/**
 * Watches how long a client is silent. Hearing from it only notes the time: the timer looks when it
 * fires and is armed again for what is left, so that no packet pays for it.
 */
export class SilenceTimer {
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #timer: TimerEntry;
  #heardMs: number;
  #limitMs = 0;
  #expired: (silentMs: number) => void = () => {};

  constructor(clock: Clock, timers: Timers) {
    this.#clock = clock;
    this.#timers = timers;
    this.#heardMs = clock.nowMs;
    this.#timer = new TimerEntry(() => this.#look());
  }

  heard(): void {
    this.#heardMs = this.#clock.nowMs;
  }

  /** From now, whatever comes. */
  startDeadline(delayMs: number, expired: () => void): void {
    this.#limitMs = 0;
    this.#expired = expired;
    this.#timers.arm(this.#timer, delayMs);
  }

  /** From what was heard last; 0 is never. */
  startKeepAlive(limitMs: number, expired: (silentMs: number) => void): void {
    this.#limitMs = limitMs;
    this.#expired = expired;
    if (limitMs === 0) this.stop();
    else this.#timers.arm(this.#timer, limitMs);
  }

  /** As if it had been heard now. */
  startAgain(): void {
    this.heard();
    this.#timers.arm(this.#timer, this.#limitMs);
  }

  stop(): void {
    this.#timers.disarm(this.#timer);
  }

  #look(): void {
    const silentMs = this.#clock.nowMs - this.#heardMs;
    if (silentMs < this.#limitMs) this.#timers.arm(this.#timer, this.#limitMs - silentMs);
    else this.#expired(silentMs);
  }
}
