import type { Clock, Timer, TimerGroup } from '../base/clock.js';
import type { Behaviour } from './behaviour.js';
import type { DeviceReport } from './report.js';
import type { Wire } from './wire.js';

/** When one connection of a device sends PINGREQ, and how long it waits for the answer. */
export class KeepAlive {
  readonly #behaviour: Behaviour;
  readonly #clock: Clock;
  readonly #timers: TimerGroup;
  readonly #report: DeviceReport;
  readonly #wire: Wire;
  readonly #everyMs: number;
  #sentMs: number;
  #receivedMs: number;
  #pingMs: number;
  #patience: Timer | undefined;

  constructor(
    behaviour: Behaviour,
    keepAliveSeconds: number,
    clock: Clock,
    timers: TimerGroup,
    report: DeviceReport,
    wire: Wire,
  ) {
    this.#behaviour = behaviour;
    this.#clock = clock;
    this.#timers = timers;
    this.#report = report;
    this.#wire = wire;
    const keepAliveMs = keepAliveSeconds * 1000 * behaviour.pingAt;
    const everyMs = keepAliveMs === 0 ? Number.POSITIVE_INFINITY : keepAliveMs;
    this.#everyMs = Math.min(everyMs, behaviour.pingMsMax ?? Number.POSITIVE_INFINITY);
    this.#sentMs = this.#receivedMs = this.#pingMs = clock.nowMs();
    if (behaviour.pingsAtOnce) this.#ping();
    this.#arm();
  }

  sent(): void {
    this.#sentMs = this.#clock.nowMs();
  }

  received(): void {
    this.#receivedMs = this.#clock.nowMs();
  }

  pingresp(): void {
    if (this.#patience === undefined && this.#behaviour.pingrespMsMax !== undefined) return;
    this.#patience?.cancel();
    this.#patience = undefined;
    this.#report.pingrespMs.add(this.#clock.nowMs() - this.#pingMs);
  }

  #dueMs(): number {
    switch (this.#behaviour.pingAfter) {
      case 'sent':
        return this.#sentMs + this.#everyMs;
      case 'silence':
        return Math.min(this.#sentMs, Math.max(this.#receivedMs, this.#pingMs)) + this.#everyMs;
      case 'ping':
        return this.#pingMs + this.#everyMs;
    }
  }

  #arm(): void {
    if (this.#everyMs === Number.POSITIVE_INFINITY) return;
    const waitMs = Math.max(0, this.#dueMs() - this.#clock.nowMs());
    this.#timers.after(waitMs, () => {
      if (this.#dueMs() <= this.#clock.nowMs()) this.#ping();
      this.#arm();
    });
  }

  #ping(): void {
    this.#report.pings++;
    this.#pingMs = this.#clock.nowMs();
    this.#wire.send({ cmd: 'pingreq' });
    this.sent();
    const { pingrespMsMax } = this.#behaviour;
    if (pingrespMsMax === undefined || this.#patience !== undefined) return;
    this.#patience = this.#timers.after(pingrespMsMax, () =>
      this.#wire.fail('no PINGRESP in time'),
    );
  }
}
