import { Fifo } from '../base/fifo.js';

export interface GateLimits {
  /** Handshakes begun in a second. */
  readonly perSecondMax: number;
  /** Begun and not ended. */
  readonly openMax: number;
}

/** One who wants to begin a handshake. */
export interface Applicant {
  /** The remote address. */
  readonly host: string;
  /** It has given up waiting. */
  readonly isGone: boolean;
  begin(): void;
  /** It has to go: there is no room for it. */
  refuse(reason: string): void;
}

const WAITING_MAX = 4096;
/** One address may hold this part of the waiting room. */
const WAITING_OF_HOST_MAX = 1024;
/** A burst of this part of a second is let through at once. */
const BURST_SECONDS = 0.02;

const NO_ROOM = 'too many handshakes are waiting already';
const MADE_ROOM = 'its handshake took too long while others were waiting';

/**
 * A handshake costs more than anything else that a stranger can ask for, so they begin at a steady
 * pace; those that have to wait do so by turns of their addresses, that one address cannot keep
 * out all others. A handshake that stands still costs nothing more, so where all places are taken
 * the oldest gives way, of the address that has most of them: others have the time theirs takes.
 */
export class HandshakeGate {
  readonly #perSecond: number;
  readonly #openMax: number;
  readonly #burst: number;
  /** By address, the oldest first. */
  readonly #open = new Map<string, Set<Applicant>>();
  #openCount = 0;
  readonly #waiting = new Map<string, Fifo<Applicant>>();
  #waitingCount = 0;
  #tokens: number;
  #filledAtMs = performance.now();
  #timer: NodeJS.Timeout | undefined = undefined;

  constructor({ perSecondMax, openMax }: GateLimits) {
    this.#perSecond = perSecondMax;
    this.#openMax = openMax;
    this.#burst = Math.max(1, perSecondMax * BURST_SECONDS);
    this.#tokens = this.#burst;
  }

  get open(): number {
    return this.#openCount;
  }

  get waiting(): number {
    return this.#waitingCount;
  }

  apply(applicant: Applicant): void {
    this.#fill();
    if (this.#waitingCount === 0 && this.#tokens >= 1) {
      this.#begin(applicant);
      return;
    }
    const line = this.#waiting.get(applicant.host) ?? new Fifo<Applicant>();
    if (this.#waitingCount >= WAITING_MAX || line.length >= WAITING_OF_HOST_MAX) {
      applicant.refuse(NO_ROOM);
      return;
    }
    line.push(applicant);
    this.#waiting.set(applicant.host, line);
    this.#waitingCount++;
    this.#wake();
  }

  /** Its handshake has ended in one way or the other, or it no longer waits for one. */
  leave(applicant: Applicant): void {
    const ofHost = this.#open.get(applicant.host);
    if (ofHost?.delete(applicant) !== true) return;
    this.#openCount--;
    if (ofHost.size === 0) this.#open.delete(applicant.host);
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  #begin(applicant: Applicant): void {
    if (applicant.isGone) return;
    this.#tokens--;
    if (this.#openCount >= this.#openMax) this.#makeRoom();
    const ofHost = this.#open.get(applicant.host) ?? new Set<Applicant>();
    ofHost.add(applicant);
    this.#open.set(applicant.host, ofHost);
    this.#openCount++;
    applicant.begin();
  }

  #makeRoom(): void {
    let most = new Set<Applicant>();
    for (const ofHost of this.#open.values()) if (ofHost.size > most.size) most = ofHost;
    const [oldest] = most;
    this.leave(oldest!);
    oldest!.refuse(MADE_ROOM);
  }

  #fill(): void {
    const nowMs = performance.now();
    const gained = ((nowMs - this.#filledAtMs) * this.#perSecond) / 1000;
    this.#tokens = Math.min(this.#burst, this.#tokens + gained);
    this.#filledAtMs = nowMs;
  }

  #wake(): void {
    const waitMs = Math.ceil(((1 - this.#tokens) * 1000) / this.#perSecond);
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#fill();
      while (this.#tokens >= 1 && this.#waitingCount > 0) this.#begin(this.#nextByTurns());
      if (this.#waitingCount > 0) this.#wake();
    }, waitMs);
  }

  /** The address whose turn it is goes to the end of the round. */
  #nextByTurns(): Applicant {
    const [[host, line]] = this.#waiting as unknown as [[string, Fifo<Applicant>]];
    this.#waiting.delete(host);
    const applicant = line.shift()!;
    if (line.length > 0) this.#waiting.set(host, line);
    this.#waitingCount--;
    return applicant;
  }
}
