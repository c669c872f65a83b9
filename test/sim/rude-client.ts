import type { Packet } from 'mqtt-packet';
import type { Chance } from './chance.js';
import { SimClient } from './sim-client.js';

export type Rudeness =
  | 'never-acknowledges'
  | 'acknowledges-late'
  | 'resends'
  | 'connects-twice'
  | 'sends-garbage'
  | 'stops-reading'
  | 'reuses-identifiers';

export const RUDENESSES: readonly Rudeness[] = [
  'never-acknowledges',
  'acknowledges-late',
  'resends',
  'connects-twice',
  'sends-garbage',
  'stops-reading',
  'reuses-identifiers',
];

/** A client that breaks the rules in one way; nothing is promised to it, and it must harm nobody. */
export class RudeClient extends SimClient {
  rudeness: Rudeness = 'never-acknowledges';
  protected override readonly isCorrect: boolean = false;

  /** Does what it should not, now. */
  misbehave(): void {
    if (this.link === undefined || !this.isConnected) return;
    const { chance } = this.world;
    switch (this.rudeness) {
      case 'resends':
        this.sendAgain();
        break;
      case 'connects-twice':
        this.send({
          cmd: 'connect',
          protocolId: 'MQTT',
          protocolVersion: this.plan.version,
          clientId: this.plan.name,
          clean: true,
          keepalive: 0,
        });
        break;
      case 'sends-garbage':
        this.link.send(garbage(chance));
        break;
      case 'stops-reading':
        this.link.toClient.pause();
        break;
      case 'reuses-identifiers':
        this.send({
          cmd: 'publish',
          topic: 'rude/again',
          payload: '',
          qos: 2,
          dup: false,
          retain: false,
          messageId: 7,
        });
        break;
      default:
        this.send({ cmd: 'pubrec', messageId: chance.between(1, 20), reasonCode: 0 });
        this.send({ cmd: 'pubcomp', messageId: chance.between(1, 20), reasonCode: 0 });
    }
  }

  protected override acknowledge(cmd: 'puback' | 'pubrec' | 'pubcomp', messageId: number): void {
    if (this.rudeness === 'never-acknowledges') return;
    if (this.rudeness !== 'acknowledges-late') {
      super.acknowledge(cmd, messageId);
      return;
    }
    const { link } = this;
    this.world.after(this.world.chance.between(100, 1500), `${this.plan.name} late`, () => {
      if (this.link === link) super.acknowledge(cmd, messageId);
    });
  }

  /** The server may end it for what it did, and tell it so. */
  protected override onPacket(packet: Packet): void {
    if (packet.cmd === 'disconnect') return;
    super.onPacket(packet);
  }
}

/** First bytes that no client may send, so that nothing in it is a packet by accident. */
function garbage(chance: Chance): Uint8Array {
  const bytes = Uint8Array.from({ length: chance.between(2, 60) }, () => chance.below(256));
  bytes[0] = chance.pick([0x00, 0x20, 0x36, 0x60, 0x80, 0x90, 0xd0, 0xff]);
  return bytes;
}
