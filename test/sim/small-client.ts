import { generate, type Packet } from 'mqtt-packet';
import { type ClientPlan, SimClient } from './sim-client.js';
import type { World } from './world.js';

export interface SmallPlan extends ClientPlan {
  /** Of its receive buffer: a larger packet makes it drop its connection. */
  readonly bufferBytes: number;
  /** It goes on without a word instead. */
  readonly ignoresLarge?: boolean;
}

/** Firmware that keeps to the protocol as far as its buffer goes. */
export class SmallClient extends SimClient {
  readonly #bufferBytes: number;
  readonly #ignoresLarge: boolean;

  constructor(world: World, plan: SmallPlan) {
    super(world, plan);
    this.#bufferBytes = plan.bufferBytes;
    this.#ignoresLarge = plan.ignoresLarge ?? false;
    world.care.smallDevices.add(plan.name);
  }

  protected override onPacket(packet: Packet): void {
    const bytes = generate(packet, { protocolVersion: this.plan.version }).length;
    const isTooLarge = packet.cmd === 'publish' && bytes > this.#bufferBytes;
    if (isTooLarge && this.#ignoresLarge) return;
    if (isTooLarge) this.drop();
    // What comes behind it in the same read is not looked at any more.
    else if (this.link !== undefined) super.onPacket(packet);
  }
}
