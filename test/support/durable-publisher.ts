import type { Packet } from 'mqtt-packet';
import { DurableClient, type DurableClientOptions } from './durable-client.js';

export interface DurablePublisherOptions extends DurableClientOptions {
  readonly topic: string;
  readonly qos: 1 | 2;
  /** Messages unacknowledged at a time. */
  readonly window: number;
  /** The payload of the message with this sequence number; its first four bytes are replaced. */
  readonly payload: (sequence: number) => Buffer;
}

interface InFlight {
  readonly identifier: number;
  readonly payload: Buffer;
  stage: 'publish' | 'release';
  sent: boolean;
}

// Few identifiers, so that the same ones come again and again, also right after a crash.
const IDENTIFIERS = 48;
const IDENTIFIER_NOT_FOUND = 0x92;

/**
 * Publishes numbered messages and resends across reconnects as the specification wants it: in the
 * original order, with DUP, with the original Packet Identifiers, PUBREL for what had its PUBREC.
 */
export class DurablePublisher extends DurableClient {
  readonly topic: string;
  readonly qos: 1 | 2;
  published = 0;
  acknowledged = 0;
  resent = 0;
  /** Reason codes of refusal: never expected. */
  failures = 0;

  readonly #options: DurablePublisherOptions;
  readonly #inFlight: InFlight[] = [];
  #lastIdentifier = 0;
  #ready = false;
  #allowance = 0;

  constructor(options: DurablePublisherOptions) {
    super(options);
    this.#options = options;
    this.topic = options.topic;
    this.qos = options.qos;
  }

  /** How many new messages may be published on the next connection. */
  allow(messages: number): void {
    this.#allowance = messages;
    this.#ready = false;
  }

  get finished(): boolean {
    return this.#inFlight.length === 0;
  }

  protected resume(): void {
    for (const message of this.#inFlight) this.#transmit(message);
    this.#ready = true;
    this.#publishMore();
  }

  protected handle(packet: Packet): void {
    if (isRefusal(packet)) this.failures++;
    if (packet.cmd === 'puback' || packet.cmd === 'pubcomp') this.#complete(packet.messageId);
    else if (packet.cmd === 'pubrec') this.#release(packet.messageId);
  }

  #publishMore(): void {
    const { window, payload } = this.#options;
    while (this.#ready && this.#allowance > 0 && this.#inFlight.length < window) {
      this.#allowance--;
      const bytes = payload(this.published);
      bytes.writeUInt32BE(this.published, 0);
      this.published++;
      const identifier = this.#freeIdentifier();
      const message: InFlight = { identifier, payload: bytes, stage: 'publish', sent: false };
      this.#inFlight.push(message);
      this.#transmit(message);
    }
  }

  #transmit(message: InFlight): void {
    const { identifier, payload, stage, sent } = message;
    if (sent) this.resent++;
    if (stage === 'release') {
      this.send({ cmd: 'pubrel', messageId: identifier });
      return;
    }
    const { topic, qos } = this;
    message.sent = true;
    const retain = false;
    this.send({ cmd: 'publish', messageId: identifier, topic, payload, qos, retain, dup: sent });
  }

  #release(identifier: number | undefined): void {
    const message = this.#inFlight.find((entry) => entry.identifier === identifier);
    if (message !== undefined) {
      message.stage = 'release';
      this.establish();
    }
    this.send({ cmd: 'pubrel', messageId: identifier ?? 0 });
  }

  #complete(identifier: number | undefined): void {
    const index = this.#inFlight.findIndex((entry) => entry.identifier === identifier);
    if (index < 0) return;
    this.#inFlight.splice(index, 1);
    this.acknowledged++;
    this.establish();
    this.#publishMore();
  }

  #freeIdentifier(): number {
    do {
      this.#lastIdentifier = (this.#lastIdentifier % IDENTIFIERS) + 1;
    } while (this.#inFlight.some((entry) => entry.identifier === this.#lastIdentifier));
    return this.#lastIdentifier;
  }
}

/** After a lost PUBCOMP the broker may not know the identifier any more: then all is done already. */
function isRefusal(packet: Packet): boolean {
  const reasonCode = 'reasonCode' in packet ? (packet.reasonCode ?? 0) : 0;
  return reasonCode >= 0x80 && !(packet.cmd === 'pubcomp' && reasonCode === IDENTIFIER_NOT_FOUND);
}
