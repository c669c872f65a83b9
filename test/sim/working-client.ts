import type { Packet } from 'mqtt-packet';
import { type ClientPlan, SimClient } from './sim-client.js';
import type { SimLink } from './sim-link.js';
import type { World } from './world.js';

export interface WorkPlan extends ClientPlan {
  /** In the order of the messages, or several at a time, each acknowledged when it is done. */
  readonly works: 'in-order' | 'side-by-side';
  /** Of a short job and of a long one. */
  readonly shortMsMax: number;
  readonly longMsMax: number;
  readonly longPercent: number;
  /** The large messages are the long jobs. */
  readonly isBySize: boolean;
  /** At QoS 2: the message is worked on before PUBREC, or behind PUBREL. */
  readonly worksBefore: 'pubrec' | 'pubcomp';
  /** A job goes on when the connection breaks, and is acknowledged on the next one. */
  readonly goesOn: boolean;
}

const LARGE_BYTES = 200;

/** A healthy client that acknowledges a message when it is done with what it asks for. */
export class WorkingClient extends SimClient {
  readonly #work: WorkPlan;
  readonly #bytes = new Map<number, number>();
  /** By Packet Identifier, the connection that it is acknowledged on; undefined is any. */
  readonly #jobs = new Map<number, SimLink | undefined>();
  #freeAtMs = 0;

  constructor(world: World, plan: WorkPlan) {
    super(world, plan);
    this.#work = plan;
  }

  protected override onPacket(packet: Packet): void {
    if (packet.cmd === 'publish' && packet.messageId !== undefined) {
      this.#bytes.set(packet.messageId, packet.payload.length);
    }
    super.onPacket(packet);
  }

  protected override acknowledge(cmd: 'puback' | 'pubrec' | 'pubcomp', messageId: number): void {
    const { world, link } = this;
    const { works, worksBefore, goesOn } = this.#work;
    const isWork = cmd === 'puback' || cmd === worksBefore;
    if (!isWork || world.isCalm) {
      this.#jobs.delete(messageId);
      super.acknowledge(cmd, messageId);
      return;
    }
    const jobMs = this.#jobMs(messageId);
    const beginMs = works === 'in-order' ? Math.max(world.nowMs, this.#freeAtMs) : world.nowMs;
    if (goesOn && this.#jobs.has(messageId)) return;
    this.#jobs.set(messageId, goesOn ? undefined : link);
    this.#freeAtMs = beginMs + jobMs;
    world.after(beginMs + jobMs - world.nowMs, `${this.plan.name} is done`, () => {
      if (!this.#jobs.has(messageId)) return;
      if (!goesOn && this.#jobs.get(messageId) !== link) return;
      this.#jobs.delete(messageId);
      if (this.isConnected && (goesOn || this.link === link)) super.acknowledge(cmd, messageId);
    });
  }

  #jobMs(messageId: number): number {
    const { chance } = this.world;
    const { shortMsMax, longMsMax, longPercent, isBySize } = this.#work;
    const isLarge = (this.#bytes.get(messageId) ?? 0) >= LARGE_BYTES;
    const isLong = isBySize ? isLarge : chance.percent(longPercent);
    return chance.between(1, isLong ? longMsMax : shortMsMax);
  }
}
