import { Fifo } from '../../base/fifo.js';
import { PacketIdentifiers } from '../../session/packet-identifiers.js';
import {
  type Acknowledgement,
  PacketType,
  type PublishPacket,
  type Subscribe,
  type SubscribeAcknowledgement,
  type Unsubscribe,
} from '../../wire/control-packet.js';
import { encode } from '../../wire/encode.js';
import { isFailure, ReasonCode } from '../../wire/reason-code.js';
import { LocalClientError } from './local-client-error.js';

/** Fewer than there are Packet Identifiers, whatever Receive Maximum the broker has. */
const REQUESTS_MAX = 32_768;

type RequestPacket = PublishPacket | Subscribe | Unsubscribe;
type Answer = Acknowledgement | SubscribeAcknowledgement;

interface Request {
  readonly packet: RequestPacket;
  readonly resolve: (reasonCode: ReasonCode) => void;
  readonly reject: (error: unknown) => void;
  /** QoS 2: what PUBREC said. */
  received: ReasonCode | undefined;
}

/**
 * What the broker answers by Packet Identifier. They leave in the order in which they were asked
 * for, as many at a time as the broker's Receive Maximum allows. [MQTT-3.3.4-7]
 */
export class Requests {
  readonly #send: (bytes: Uint8Array) => void;
  readonly #waiting = new Fifo<Request>();
  readonly #inFlight = new Map<number, Request>();
  readonly #identifiers = new PacketIdentifiers();
  #quota = 0;
  #packetBytesMax = 0;
  #isResumed = false;

  constructor(send: (bytes: Uint8Array) => void) {
    this.#send = send;
  }

  /** CONNACK came. */
  begin(receiveMaximum: number, packetBytesMax: number, isResumed: boolean): void {
    this.#quota = Math.min(receiveMaximum, REQUESTS_MAX);
    this.#packetBytesMax = packetBytesMax;
    this.#isResumed = isResumed;
  }

  /** Resolves with the Reason Code of the answer; a failure rejects. */
  submit(packet: RequestPacket): Promise<ReasonCode> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ packet, resolve, reject, received: undefined });
      this.#pump();
    });
  }

  answered(answer: Answer): void {
    const { packetIdentifier } = answer;
    const request = this.#inFlight.get(packetIdentifier);
    if (request === undefined) return;
    switch (answer.type) {
      case PacketType.PUBACK:
        this.#finish(request, packetIdentifier, answer.reasonCode, answer.reasonString);
        return;
      case PacketType.PUBREC:
        if (isFailure(answer.reasonCode)) {
          this.#finish(request, packetIdentifier, answer.reasonCode, answer.reasonString);
        } else {
          request.received = answer.reasonCode;
          this.#release(packetIdentifier); // [MQTT-4.3.3-4]
        }
        return;
      case PacketType.PUBCOMP:
        // Before PUBREC it answers the PUBREL that went in front.
        if (request.received === undefined) return;
        this.#finish(request, packetIdentifier, request.received, undefined);
        return;
      case PacketType.SUBACK:
      case PacketType.UNSUBACK:
        this.#finish(request, packetIdentifier, answer.reasonCodes[0]!, answer.reasonString);
        return;
      case PacketType.PUBREL:
        return;
    }
  }

  /** The connection is over. */
  fail(error: LocalClientError): void {
    const open = [...this.#inFlight.values(), ...this.#waiting];
    this.#inFlight.clear();
    this.#waiting.clear();
    for (const request of open) request.reject(error);
  }

  #pump(): void {
    while (this.#inFlight.size < this.#quota) {
      const request = this.#waiting.shift();
      if (request === undefined) return;
      const packetIdentifier = this.#identifiers.allocate(this.#inFlight);
      const bytes = this.#encode(request, packetIdentifier);
      if (bytes === undefined) continue;
      this.#inFlight.set(packetIdentifier, request);
      // The Session may know this identifier from a client before: what is left of that exchange
      // must not make the broker take the new message for a copy. It answers 0x92 where there was
      // none.
      if (this.#isResumed && isQoS2(request.packet)) this.#release(packetIdentifier);
      this.#send(bytes);
    }
  }

  /** Undefined for what no packet can hold: that request alone fails. */
  #encode({ packet, reject }: Request, packetIdentifier: number): Uint8Array | undefined {
    try {
      const bytes = encode({ ...packet, packetIdentifier }, 5);
      if (bytes.length <= this.#packetBytesMax) return bytes;
      reject(tooLarge(bytes.length, this.#packetBytesMax));
    } catch (error) {
      reject(error);
    }
    return undefined;
  }

  #release(packetIdentifier: number): void {
    const reasonCode = ReasonCode.Success;
    this.#send(encode({ type: PacketType.PUBREL, packetIdentifier, reasonCode }, 5));
  }

  #finish(
    request: Request,
    packetIdentifier: number,
    reasonCode: ReasonCode,
    reasonString: string | undefined,
  ): void {
    this.#inFlight.delete(packetIdentifier);
    if (isFailure(reasonCode)) {
      request.reject(
        new LocalClientError('refused', reasonCode, reasonString ?? refusalOf(request.packet)),
      );
    } else request.resolve(reasonCode);
    this.#pump();
  }
}

export function tooLarge(bytes: number, bytesMax: number): LocalClientError {
  const sentence = `the packet has ${bytes} bytes, the broker takes at most ${bytesMax}`;
  return new LocalClientError('refused', ReasonCode.PacketTooLarge, sentence);
}

function isQoS2(packet: RequestPacket): boolean {
  return packet.type === PacketType.PUBLISH && packet.qos === 2;
}

function refusalOf(packet: RequestPacket): string {
  switch (packet.type) {
    case PacketType.PUBLISH:
      return `the broker refused the message to ${packet.topicName}`;
    case PacketType.SUBSCRIBE:
      return `the broker refused the subscription to ${packet.entries[0]!.topicFilter}`;
    case PacketType.UNSUBSCRIBE:
      return `the broker refused to end the subscription to ${packet.topicFilters[0]!}`;
  }
}
