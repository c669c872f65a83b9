import { FrameReader } from '../device/frame-reader.js';
import { publishHead } from '../device/incoming.js';
import type { Trace } from '../link/link.js';

const TYPE_PUBLISH = 3;
const TYPE_PUBACK = 4;
const TYPE_PUBREC = 5;
const TYPE_SUBSCRIBE = 8;

/** Which PUBLISH packets reached the broker on one connection, and how it acknowledged them. */
export class AckWatch {
  /** Packet Identifiers in order, by QoS. */
  readonly publishes: Record<1 | 2, number[]> = { 1: [], 2: [] };
  readonly acknowledgements: Record<1 | 2, number[]> = { 1: [], 2: [] };
  subscribes = 0;
  readonly #up = new FrameReader();
  readonly #down = new FrameReader();

  readonly trace: Trace = (_atMs, way, what, bytes) => {
    if (way === 'up' && what === 'out') this.#sent(bytes);
    else if (way === 'down' && what === 'in') this.#answered(bytes);
  };

  /** Every PUBLISH was acknowledged, each as often as it came, in the order they came in. */
  get inOrder(): boolean {
    return ([1, 2] as const).every(
      (qos) => this.publishes[qos].join() === this.acknowledgements[qos].join(),
    );
  }

  #sent(bytes: Buffer): void {
    this.#up.feed(bytes, (frame) => {
      const type = frame.bytes[0]! >> 4;
      if (type === TYPE_SUBSCRIBE) this.subscribes++;
      if (type !== TYPE_PUBLISH) return true;
      const { qos, identifier } = publishHead(frame);
      if ((qos === 1 || qos === 2) && identifier !== undefined) {
        this.publishes[qos].push(identifier);
      }
      return true;
    });
  }

  #answered(bytes: Buffer): void {
    this.#down.feed(bytes, (frame) => {
      const type = frame.bytes[0]! >> 4;
      if (type === TYPE_PUBACK) this.acknowledgements[1].push(frame.bytes.readUInt16BE(2));
      if (type === TYPE_PUBREC) this.acknowledgements[2].push(frame.bytes.readUInt16BE(2));
      return true;
    });
  }
}
