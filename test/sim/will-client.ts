import type { IConnectPacket } from 'mqtt-packet';
import type { SentMessage } from './oracle.js';
import { type ClientPlan, SimClient } from './sim-client.js';
import type { SimLink } from './sim-link.js';
import type { World } from './world.js';

const NEVER = Number.POSITIVE_INFINITY;
/** A half-open connection is noticed this late, a crashed broker is back this late. */
const NOTICE_MS = 8000;
/** What has no acknowledgement may be undone by a crash this soon behind it. */
const COMMIT_MS = 1000;
/** The same, and the time a DISCONNECT may be on its way. */
const UNDO_MS = 4000;

/** One will: of one connection. */
interface WillCase {
  readonly message: SentMessage;
  readonly link: SimLink;
  readonly connectedMs: number;
  endedMs: number;
  /** DISCONNECT was sent, and the bytes before its end. */
  isGraceful: boolean;
  bytesSent: number;
  nextConnectedMs: number;
  nextConnectMs: number;
  nextIsClean: boolean;
}

export interface WillPlan extends ClientPlan {
  readonly willTopic: string;
  readonly delaySeconds: number;
}

/** A correct client with a will for each connection, and what must become of them. */
export class WillClient extends SimClient {
  readonly #willPlan: WillPlan;
  readonly #cases: WillCase[] = [];
  #next: SentMessage | undefined = undefined;
  #current: WillCase | undefined = undefined;

  constructor(world: World, plan: WillPlan) {
    super(world, plan);
    this.#willPlan = plan;
  }

  protected override willOf(): IConnectPacket['will'] {
    const { willTopic, delaySeconds, name, version } = this.#willPlan;
    const id = `will-${name}-${this.connections}`;
    const payload = Buffer.from(`${id}|`);
    this.#next = {
      id,
      publisher: `will-${name}`,
      number: this.connections,
      topic: willTopic,
      qos: 2,
      retain: false,
      payload,
      expirySeconds: 0,
      isCorrect: true,
      firstSentStep: this.world.step,
      lastSentStep: this.world.step,
      ackedStep: NEVER,
      firstArrivedMs: 0,
      lastArrivedMs: 0,
    };
    this.world.oracle.sent(this.#next);
    const last = this.#cases[this.#cases.length - 1];
    if (last !== undefined) {
      last.nextConnectMs = Math.min(last.nextConnectMs, this.world.nowMs);
      if (!this.#willPlan.isPersistent) last.nextIsClean = true;
    }
    const properties = version === 5 ? { willDelayInterval: delaySeconds } : {};
    return { topic: willTopic, payload, qos: 2, retain: false, properties };
  }

  protected override onConnected(): void {
    const last = this.#cases[this.#cases.length - 1];
    if (last !== undefined && last.nextConnectedMs === NEVER) {
      last.nextConnectedMs = this.world.nowMs;
    }
    this.#current = {
      message: this.#next!,
      link: this.link!,
      connectedMs: this.world.nowMs,
      endedMs: NEVER,
      isGraceful: false,
      bytesSent: NEVER,
      nextConnectedMs: NEVER,
      nextConnectMs: NEVER,
      nextIsClean: false,
    };
    this.#cases.push(this.#current);
  }

  protected override onDisconnected(isGraceful: boolean): void {
    const current = this.#current!;
    current.endedMs = this.world.nowMs;
    current.isGraceful = isGraceful;
    current.bytesSent = current.link.sentBytes;
  }

  /** One will or none, as the specification says. [MQTT-3.1.2-8] [MQTT-3.1.2-10] [MQTT-3.1.3-9] */
  check(timesReceived: (id: string) => number): void {
    for (const one of this.#cases) {
      const times = timesReceived(one.message.id);
      const [least, most] = this.#expected(one);
      if (times >= least && times <= most) continue;
      this.world.oracle.violation(
        `will ${one.message.id} came ${times} times, not ${least} to ${most}: ` +
          `connected ${one.connectedMs}, ended ${one.endedMs}, graceful ${one.isGraceful}, ` +
          `back ${one.nextConnectMs}/${one.nextConnectedMs}`,
      );
    }
  }

  #expected(one: WillCase): readonly [least: number, most: number] {
    const { crashes } = this.world;
    if (one.endedMs === NEVER) {
      const hasCrashed = crashes.some((atMs) => atMs >= one.connectedMs);
      return hasCrashed ? [0, 1] : [0, 0];
    }
    if (one.isGraceful) {
      const hasArrived = one.link.deliveredBytes >= one.bytesSent && !one.link.wasEndedByServer;
      const { endedMs } = one;
      const isUndone = crashes.some((atMs) => atMs >= endedMs && atMs <= endedMs + UNDO_MS);
      return hasArrived && !isUndone ? [0, 0] : [0, 1];
    }
    const isUnwritten = crashes.some(
      (atMs) => atMs >= one.connectedMs - COMMIT_MS && atMs <= one.connectedMs + COMMIT_MS,
    );
    const isWithheld = this.world.care.damped.has(one.message.publisher.slice('will-'.length));
    const least = isUnwritten || isWithheld ? 0 : 1;
    const delayMs = this.#delayMs();
    if (delayMs === 0 || one.nextIsClean) return [least, 1];
    if (one.nextConnectedMs < one.endedMs + delayMs - NOTICE_MS)
      return [0, this.#mayBeOut(one) ? 1 : 0];
    if (one.nextConnectMs > one.endedMs + delayMs + NOTICE_MS) return [least, 1];
    return [0, 1];
  }

  /** The connection may have ended for the server long before the client noticed: never here. */
  #mayBeOut(one: WillCase): boolean {
    return this.world.crashes.some((atMs) => atMs >= one.connectedMs);
  }

  #delayMs(): number {
    const { version, delaySeconds, isPersistent, expirySeconds } = this.#willPlan;
    if (version < 5 || !isPersistent) return 0;
    return Math.min(delaySeconds, expirySeconds ?? NEVER) * 1000;
  }
}
