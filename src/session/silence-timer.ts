import { type Clock, TimerEntry, type Timers } from '../base/clock.js';
import type { Connect } from '../wire/control-packet.js';

/** Whoever waits for the client: no function is made for a connection. */
export interface SilenceOwner {
  /** The deadline has passed. */
  deadlinePassed(): void;
  /** Nothing was heard for the limit. */
  silent(silentMs: number): void;
}

/**
 * Watches how long a client is silent. Hearing from it only notes the time: the timer looks when it
 * fires and is armed again for what is left, so that no packet pays for it.
 */
export class SilenceTimer extends TimerEntry {
  readonly #owner: SilenceOwner;
  readonly #clock: Clock;
  readonly #timers: Timers;
  #heardMs: number;
  /** 0 while there is a deadline. */
  #limitMs = 0;

  constructor(owner: SilenceOwner, clock: Clock, timers: Timers) {
    super(look);
    this.#owner = owner;
    this.#clock = clock;
    this.#timers = timers;
    this.#heardMs = clock.nowMs;
  }

  /** When the client was heard last, on the monotonic clock. */
  get heardMs(): number {
    return this.#heardMs;
  }

  heard(): void {
    this.#heardMs = this.#clock.nowMs;
  }

  /** From now, whatever comes. */
  startDeadline(delayMs: number): void {
    this.#limitMs = 0;
    this.#timers.arm(this, delayMs);
  }

  /** From what was heard last; 0 is never. */
  startKeepAlive(limitMs: number): void {
    this.#limitMs = limitMs;
    if (limitMs === 0) this.stop();
    else this.#timers.arm(this, limitMs);
  }

  /** As if it had been heard now. */
  startAgain(): void {
    this.heard();
    this.#timers.arm(this, this.#limitMs);
  }

  stop(): void {
    this.#timers.disarm(this);
  }

  look(): void {
    const silentMs = this.#clock.nowMs - this.#heardMs;
    if (this.#limitMs === 0) this.#owner.deadlinePassed();
    else if (silentMs < this.#limitMs) this.#timers.arm(this, this.#limitMs - silentMs);
    else this.#owner.silent(silentMs);
  }
}

function look(entry: TimerEntry): void {
  if (entry instanceof SilenceTimer) entry.look();
}

/** The shorter of two times that are never where they are 0. */
export function shorter(ms: number, otherMs: number): number {
  return ms === 0 || otherMs === 0 ? ms + otherMs : Math.min(ms, otherMs);
}

/** Why a silent client is gone: its own Keep Alive, or a limit of this server. */
export function silenceSentence(
  silentMs: number,
  connect: Connect | undefined,
  isInPacket: boolean,
): string {
  const ownMs = (connect?.keepAliveSeconds ?? 0) * 1500;
  const isOwn = ownMs > 0 && silentMs >= ownMs;
  const what = isOwn ? 'one and a half times the Keep Alive' : 'the longest silence allowed to it';
  const where = isInPacket ? ', in the middle of a packet' : '';
  return `nothing came for ${Math.round(silentMs / 1000)} s, ${what}${where}`;
}
