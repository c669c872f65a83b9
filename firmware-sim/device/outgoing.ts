import { generate, type IPublishPacket, type ISubscribePacket, type QoS } from 'mqtt-packet';
import type { Clock, TimerGroup } from '../base/clock.js';
import type { Behaviour } from './behaviour.js';
import type { DeviceReport } from './report.js';
import type { Wire } from './wire.js';

export interface OutgoingMessage {
  readonly topic: string;
  readonly payload: Buffer | string;
  readonly qos: QoS;
  readonly retain?: boolean;
  /** PUBACK or PUBCOMP is there; for QoS 0, it has been written. */
  readonly done?: () => void;
}

interface Entry {
  readonly packet: IPublishPacket | ISubscribePacket;
  readonly done: (() => void) | undefined;
  stage: 'waits' | 'sent' | 'released';
  firstSentMs: number;
  lastSentMs: number;
}

const IDENTIFIER_MAX = 65_535;
const RESEND_LOOKS = 4;
/** Without a common divisor with all identifiers there are: each comes once in a round. */
const SCATTERS_BY = 40_504;

/** What a device has sent and must keep until it is acknowledged, and what waits behind it. */
export class Outgoing {
  readonly #behaviour: Behaviour;
  readonly #clock: Clock;
  readonly #report: DeviceReport;
  #entries: Entry[] = [];
  #wire: Wire | undefined;
  #timers: TimerGroup | undefined;
  #nextIdentifier = 1;

  constructor(behaviour: Behaviour, clock: Clock, report: DeviceReport) {
    this.#behaviour = behaviour;
    this.#clock = clock;
    this.#report = report;
  }

  /** Messages that are not acknowledged, sent or not. */
  get waiting(): number {
    return this.#entries.filter(({ packet }) => packet.cmd === 'publish').length;
  }

  publish(message: OutgoingMessage): void {
    const { topic, payload, qos, retain = false, done } = message;
    const packet: IPublishPacket = { cmd: 'publish', topic, payload, qos, retain, dup: false };
    const { name, publishQosMax, sendBytesMax } = this.#behaviour;
    if (qos > publishQosMax) throw new Error(`${name} publishes at QoS ${publishQosMax} at most`);
    if (generate(packet.qos === 0 ? packet : { ...packet, messageId: 1 }).length > sendBytesMax) {
      this.#report.overflowed++;
      return;
    }
    if (qos === 0) {
      if (this.#wire === undefined) return;
      this.#report.published++;
      this.#wire.send(packet);
      done?.();
      return;
    }
    if (this.#entries.length >= this.#behaviour.queueMax) {
      this.#report.overflowed++;
      const oldest = this.#entries.findIndex(({ stage }) => stage === 'waits');
      if (oldest >= 0) this.#entries.splice(oldest, 1);
    }
    this.#add(packet, done);
  }

  subscribe(subscriptions: ISubscribePacket['subscriptions']): void {
    // One SUBSCRIBE is enough: an older one that is not answered says the same.
    this.#entries = this.#entries.filter(({ packet }) => packet.cmd !== 'subscribe');
    const entry = this.#entry({ cmd: 'subscribe', subscriptions }, undefined);
    this.#entries.unshift(entry);
    this.#sendWaiting();
  }

  up(wire: Wire, timers: TimerGroup, sessionPresent: boolean): void {
    this.#wire = wire;
    this.#timers = timers;
    this.#entries = this.#entries.filter(({ packet }) => packet.cmd !== 'subscribe');
    for (const entry of this.#entries) {
      if (!sessionPresent) entry.stage = 'waits';
      else if (entry.stage !== 'waits') this.#send(entry, true);
    }
    this.#sendWaiting();
    const { resends } = this.#behaviour;
    if (resends !== undefined) this.#watch(resends.afterMs / RESEND_LOOKS);
  }

  down(): void {
    this.#wire = undefined;
    this.#timers = undefined;
  }

  /** The state is lost, as by a reboot without flash. */
  forget(): void {
    this.#entries = [];
  }

  acknowledged(cmd: 'puback' | 'pubrec' | 'pubcomp' | 'suback', identifier: number): void {
    const index = this.#entries.findIndex(({ packet }) => packet.messageId === identifier);
    const entry = this.#entries[index];
    if (entry === undefined) {
      const crashes = cmd === 'pubrec' && this.#behaviour.unknownPubrecCrashes;
      if (crashes) this.#wire?.fail('crashed on an unprovoked PUBREC');
      else if (this.#behaviour.unknownAckIsFatal) this.#wire?.fail('acknowledgement of unknown');
      return;
    }
    if (cmd === 'puback' && index > 0 && this.#behaviour.acksInOrderOnly) return;
    const tookMs = this.#clock.nowMs() - entry.firstSentMs;
    if (cmd === 'pubrec') {
      entry.stage = 'released';
      this.#send(entry, false);
      return;
    }
    this.#entries.splice(index, 1);
    if (cmd === 'suback') {
      this.#report.subackMs.add(tookMs);
    } else {
      this.#report.acknowledged++;
      this.#report.ackMs.add(tookMs);
    }
    entry.done?.();
    this.#sendWaiting();
  }

  #add(packet: IPublishPacket, done: (() => void) | undefined): void {
    this.#entries.push(this.#entry(packet, done));
    this.#sendWaiting();
  }

  #entry(packet: IPublishPacket | ISubscribePacket, done: (() => void) | undefined): Entry {
    const messageId = this.#identifier();
    return {
      packet: { ...packet, messageId },
      done,
      stage: 'waits',
      firstSentMs: 0,
      lastSentMs: 0,
    };
  }

  #identifier(): number {
    const taken = new Set(this.#entries.map(({ packet }) => packet.messageId));
    while (taken.has(this.#nextIdentifier)) this.#advance();
    const identifier = this.#nextIdentifier;
    this.#advance();
    return identifier;
  }

  #advance(): void {
    const step = this.#behaviour.packetIdentifiers === 'counted' ? 1 : SCATTERS_BY;
    this.#nextIdentifier = ((this.#nextIdentifier - 1 + step) % IDENTIFIER_MAX) + 1;
  }

  #sendWaiting(): void {
    if (this.#wire === undefined) return;
    let underWay = this.#entries.filter(({ stage }) => stage !== 'waits').length;
    for (const entry of this.#entries) {
      if (underWay >= this.#behaviour.inFlightMax) return;
      if (entry.stage !== 'waits') continue;
      underWay++;
      this.#send(entry, false);
    }
  }

  #send(entry: Entry, again: boolean): void {
    const wire = this.#wire;
    if (wire === undefined) return;
    const { packet } = entry;
    const now = this.#clock.nowMs();
    entry.lastSentMs = now;
    if (entry.stage === 'waits') {
      entry.stage = 'sent';
      entry.firstSentMs = now;
      if (packet.cmd === 'publish') this.#report.published++;
    }
    if (again) this.#report.resent++;
    if (entry.stage === 'released') {
      wire.send({ cmd: 'pubrel', messageId: packet.messageId! });
    } else if (packet.cmd === 'publish') {
      const dup = again && (this.#behaviour.resends?.dup ?? true);
      wire.send({ ...packet, dup });
    } else {
      wire.send(packet);
    }
    this.#watchAnswer(entry);
  }

  /** Impatient libraries end the connection when an answer is late. */
  #watchAnswer(entry: Entry): void {
    const { ackMsMax } = this.#behaviour;
    if (ackMsMax === undefined) return;
    const sentMs = entry.lastSentMs;
    this.#timers?.after(ackMsMax, () => {
      const waits = this.#entries.includes(entry) && entry.lastSentMs === sentMs;
      if (waits) this.#wire?.fail('no acknowledgement in time');
    });
  }

  #watch(everyMs: number): void {
    this.#timers?.after(everyMs, () => {
      this.#throwAway();
      this.#resendOverdue();
      this.#watch(everyMs);
    });
  }

  #throwAway(): void {
    const { unacknowledgedMsMax } = this.#behaviour;
    if (unacknowledgedMsMax === undefined) return;
    const beforeMs = this.#clock.nowMs() - unacknowledgedMsMax;
    const isKept = ({ packet, stage, firstSentMs }: Entry) =>
      stage === 'waits' || packet.cmd !== 'publish' || firstSentMs > beforeMs;
    const kept = this.#entries.filter(isKept);
    this.#report.overflowed += this.#entries.length - kept.length;
    this.#entries = kept;
    this.#sendWaiting();
  }

  #resendOverdue(): void {
    const { resends } = this.#behaviour;
    if (resends === undefined) return;
    const dueMs = this.#clock.nowMs() - resends.afterMs;
    const overdue = this.#entries.filter(
      ({ packet, stage, lastSentMs }) =>
        stage !== 'waits' && lastSentMs <= dueMs && (packet.cmd === 'publish' || resends.subscribe),
    );
    const chosen = resends.what === 'oldest' ? overdue.slice(0, 1) : overdue;
    for (const entry of chosen) this.#send(entry, true);
  }
}
