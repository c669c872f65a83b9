import { parser } from 'mqtt-packet';
import { FrameReader } from '../device/frame-reader.js';

const TYPE_PUBLISH = 3;

/**
 * What a broker puts on the wire towards one device, before the link delays or loses it: which
 * messages it sent how often, and whether it said so. Messages are told apart by their payload.
 */
export class WireWatch {
  /** PUBLISH packets, and those whose message had been sent before. */
  publishes = 0;
  repeated = 0;
  /** Repeated without DUP, although QoS is 1 or 2. */
  repeatedWithoutDup = 0;
  publishBytes = 0;
  repeatedBytes = 0;
  /** Connections that were told of so far. */
  ends = 0;
  readonly #version: 3 | 4 | 5;
  readonly #sent = new Set<string>();
  #reader = new FrameReader();

  constructor(version: 3 | 4 | 5) {
    this.#version = version;
  }

  data(bytes: Buffer): void {
    this.#reader.feed(bytes, (frame) => {
      if (frame.bytes[0]! >> 4 === TYPE_PUBLISH) this.#publish(frame.bytes);
      return true;
    });
  }

  closed(): void {
    this.ends++;
    this.#reader = new FrameReader();
  }

  #publish(bytes: Buffer): void {
    this.publishes++;
    this.publishBytes += bytes.length;
    const read = parser({ protocolVersion: this.#version });
    read.on('packet', (packet) => {
      if (packet.cmd !== 'publish') return;
      const [stream, number] = packet.payload.toString().split(' ', 2);
      const key = `${packet.topic} ${stream} ${number}`;
      if (!this.#sent.has(key)) {
        this.#sent.add(key);
        return;
      }
      this.repeated++;
      this.repeatedBytes += bytes.length;
      if (packet.qos > 0 && !packet.dup) this.repeatedWithoutDup++;
    });
    read.parse(bytes);
  }
}
