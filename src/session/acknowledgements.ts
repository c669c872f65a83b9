import { Fifo } from '../base/fifo.js';
import {
  type AcknowledgementType,
  PacketType,
  type ProtocolVersion,
} from '../wire/control-packet.js';
import { ReasonCode } from '../wire/reason-code.js';
import type { Outbox } from './outbox.js';
import type { CommitWaiter, SessionStore } from './session-store.js';

/** An answer that waits for its batch, or behind one that does. */
interface WaitingAnswer {
  readonly ticket: number;
  readonly type: AcknowledgementType | 0;
  readonly packetIdentifier: number;
  readonly reasonCode: ReasonCode;
  readonly bytes: Uint8Array | undefined;
  readonly sent: (() => void) | undefined;
}

/** Of all clients whose answers have never waited; never written. */
const NOTHING_WAITS = new Fifo<WaitingAnswer>();

/**
 * Answers to one client in the order of its requests, each when what it promises is durable.
 * [MQTT-4.6.0-2] [MQTT-4.6.0-3]
 */
export class Acknowledgements implements CommitWaiter {
  readonly #outbox: Outbox;
  readonly #store: SessionStore;
  readonly #version: ProtocolVersion;
  #waiting: Fifo<WaitingAnswer> = NOTHING_WAITS;
  /** What waits, from the first question about it until nothing waits: most clients never ask. */
  #index: Set<number> | undefined = undefined;
  #waitsForCommit = false;
  #closed = false;
  #roomBelow = 0;
  #roomAgain: (() => void) | undefined = undefined;

  constructor(outbox: Outbox, store: SessionStore, version: ProtocolVersion) {
    this.#outbox = outbox;
    this.#store = store;
    this.#version = version;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** PUBACK, PUBREC or PUBCOMP, once `ticket` is durable; 0 is at once. */
  acknowledge(
    type: AcknowledgementType,
    packetIdentifier: number,
    reasonCode: ReasonCode,
    ticket: number,
  ): void {
    if (this.#waiting.length === 0 && ticket <= this.#store.committedTicket) {
      this.#write(type, packetIdentifier, reasonCode);
      return;
    }
    this.#wait({ ticket, type, packetIdentifier, reasonCode, bytes: undefined, sent: undefined });
  }

  /** Calls once when fewer answers than this wait. */
  whenBelow(waiting: number, roomAgain: () => void): void {
    this.#roomBelow = waiting;
    this.#roomAgain = roomAgain;
  }

  /** Any other answer, encoded; `sent` runs when it is in the outbox. */
  answer(bytes: Uint8Array, ticket: number, sent?: () => void): void {
    if (this.#waiting.length === 0 && ticket <= this.#store.committedTicket) {
      this.#outbox.appendAnswer(bytes);
      sent?.();
      return;
    }
    this.#wait({
      ticket,
      type: 0,
      packetIdentifier: 0,
      reasonCode: ReasonCode.Success,
      bytes,
      sent,
    });
  }

  /** Whether an answer of this kind to this identifier is already on its way. */
  isWaiting(type: AcknowledgementType, packetIdentifier: number): boolean {
    if (this.#waiting.length === 0) return false;
    this.#index ??= new Set([...this.#waiting].map(keyOf));
    return this.#index.has(keyOf({ type, packetIdentifier }));
  }

  committed(ticket: number): void {
    this.#waitsForCommit = false;
    this.#release(ticket);
    if (this.#closed) return;
    if (this.#waiting.length > 0) this.#awaitCommit();
    const roomAgain = this.#roomAgain;
    if (roomAgain === undefined || this.#waiting.length >= this.#roomBelow) return;
    this.#roomAgain = undefined;
    roomAgain();
  }

  close(): void {
    this.#closed = true;
    this.#waiting = NOTHING_WAITS;
  }

  /** Sends what is durable with this ticket, up to the first answer that is not. */
  #release(ticket: number): void {
    for (;;) {
      const answer = this.#waiting.peek();
      if (answer === undefined || answer.ticket > ticket || this.#closed) return;
      this.#waiting.shift();
      if (this.#waiting.length === 0) this.#index = undefined;
      else this.#index?.delete(keyOf(answer));
      if (answer.bytes !== undefined) this.#outbox.appendAnswer(answer.bytes);
      else if (answer.type !== 0) {
        this.#write(answer.type, answer.packetIdentifier, answer.reasonCode);
      }
      answer.sent?.();
    }
  }

  #wait(answer: WaitingAnswer): void {
    if (this.#waiting === NOTHING_WAITS) this.#waiting = new Fifo();
    this.#waiting.push(answer);
    this.#index?.add(keyOf(answer));
    this.#awaitCommit();
  }

  #awaitCommit(): void {
    if (this.#waitsForCommit) return;
    this.#waitsForCommit = true;
    this.#store.afterCommit(this);
  }

  #write(type: AcknowledgementType, packetIdentifier: number, reasonCode: ReasonCode): void {
    const firstByte = (type << 4) | (type === PacketType.PUBREL ? 0x02 : 0);
    const shown = this.#version === 5 ? reasonCode : ReasonCode.Success;
    this.#outbox.appendAcknowledgement(firstByte, packetIdentifier, shown);
  }
}

function keyOf(answer: Pick<WaitingAnswer, 'type' | 'packetIdentifier'>): number {
  return (answer.type << 16) | answer.packetIdentifier;
}
