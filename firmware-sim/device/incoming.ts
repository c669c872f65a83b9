import type { IPublishPacket } from 'mqtt-packet';
import type { Behaviour } from './behaviour.js';
import type { Frame } from './frame-reader.js';
import type { DeviceReport } from './report.js';
import type { Wire } from './wire.js';

/** The head of a PUBLISH, read from what a small buffer kept of it. */
export interface PublishHead {
  readonly headBytes: number;
  readonly topicBytes: number;
  readonly qos: number;
  /** Undefined when the buffer does not reach so far. */
  readonly identifier: number | undefined;
}

/** Received messages: whether they fit, who is told, how they are acknowledged. */
export class Incoming {
  readonly #behaviour: Behaviour;
  readonly #report: DeviceReport;
  readonly #handle: (message: IPublishPacket) => void;
  readonly #unreleased = new Set<number>();
  /** Acknowledgements that a device sends in the wrong order. */
  #held: number[] = [];

  constructor(
    behaviour: Behaviour,
    report: DeviceReport,
    handle: (message: IPublishPacket) => void,
  ) {
    this.#behaviour = behaviour;
    this.#report = report;
    this.#handle = handle;
  }

  /** The state is lost, as by a reboot without flash. */
  forget(): void {
    this.#unreleased.clear();
    this.#held = [];
  }

  /** False when the device cannot take the message and has dealt with it. */
  fits(frame: Frame, wire: Wire): boolean {
    const { receiveBytesMax, oversize, topicBytesMax, parser } = this.#behaviour;
    const head = publishHead(frame);
    if (parser === 'header-in-one-segment' && frame.firstSegmentBytes < head.headBytes) {
      wire.fail('header split between segments');
      return false;
    }
    if (frame.totalBytes > receiveBytesMax) {
      this.#report.oversize++;
      if (oversize === 'close') wire.fail('packet larger than the buffer');
      else if (oversize === 'acknowledge') this.#acknowledgeHead(head, wire);
      return false;
    }
    if (head.topicBytes > topicBytesMax) {
      this.#report.oversize++;
      return false;
    }
    return true;
  }

  publish(packet: IPublishPacket, wire: Wire): void {
    this.#report.received++;
    if (packet.dup) this.#report.receivedDup++;
    const { qos, messageId } = packet;
    if (qos < 2 || messageId === undefined) {
      this.#handle(packet);
      if (qos === 1 && messageId !== undefined) this.#puback(messageId, wire);
      return;
    }
    const known = this.#unreleased.has(messageId) && this.#behaviour.knowsQos2Duplicates;
    this.#unreleased.add(messageId);
    if (!known) this.#handle(packet);
    if (this.#behaviour.acknowledges !== 'never') wire.send({ cmd: 'pubrec', messageId });
  }

  pubrel(messageId: number, wire: Wire): void {
    const known = this.#unreleased.delete(messageId);
    if (!known && this.#behaviour.unknownAckIsFatal) {
      wire.fail('PUBREL of unknown');
      return;
    }
    if (!this.#behaviour.sendsPubcomp) return;
    if (known || this.#behaviour.pubrelUnknown === 'pubcomp') {
      wire.send({ cmd: 'pubcomp', messageId });
    }
  }

  #puback(messageId: number, wire: Wire): void {
    switch (this.#behaviour.acknowledges) {
      case 'never':
        return;
      case 'twice':
        wire.send({ cmd: 'puback', messageId });
        break;
      case 'backwards':
        this.#held.unshift(messageId);
        if (this.#held.length < 2) return;
        for (const held of this.#held) wire.send({ cmd: 'puback', messageId: held });
        this.#held = [];
        return;
      case 'once':
        break;
    }
    wire.send({ cmd: 'puback', messageId });
  }

  #acknowledgeHead(head: PublishHead, wire: Wire): void {
    const { qos, identifier: messageId } = head;
    if (messageId === undefined) return;
    if (qos === 1) wire.send({ cmd: 'puback', messageId });
    if (qos === 2) wire.send({ cmd: 'pubrec', messageId });
  }
}

export function publishHead(frame: Frame): PublishHead {
  const { bytes } = frame;
  const fixedBytes = 2 + bytes.subarray(1).findIndex((byte) => byte < 0x80);
  const topicBytes = bytes.length >= fixedBytes + 2 ? bytes.readUInt16BE(fixedBytes) : 0;
  const qos = (bytes[0]! >> 1) & 3;
  const identifierAt = fixedBytes + 2 + topicBytes;
  const headBytes = identifierAt + (qos > 0 ? 2 : 0);
  const reached = qos > 0 && bytes.length >= headBytes;
  const identifier = reached ? bytes.readUInt16BE(identifierAt) : undefined;
  return { headBytes, topicBytes, qos, identifier };
}
