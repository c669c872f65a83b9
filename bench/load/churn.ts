import { type Address, LoadConnection, type LoadHandler } from './connection.js';
import { connectPacket, encode, type Version } from './packets.js';

const EVERY_MS = 10;
/** Subscriptions of the client that stand at the same time. */
const STANDING = 500;
const UINT16_MAX = 65_535;

/**
 * A client that makes and ends so many subscriptions per second, among the filters of the load but
 * without matching it: half of them with wildcards.
 */
export class Churn implements LoadHandler {
  /** Requests that the broker has answered. */
  answered = 0;
  requested = 0;
  failure: string | undefined = undefined;
  readonly #connection: LoadConnection;
  readonly #version: Version;
  readonly #everySecond: number;
  #beganMs = 0;
  #timer: NodeJS.Timeout | undefined = undefined;

  constructor(address: Address, version: Version, everySecond: number) {
    this.#version = version;
    this.#everySecond = everySecond;
    this.#connection = new LoadConnection(address, this);
    this.#connection.write(
      connectPacket({
        clientIdentifier: 'churn',
        version,
        isPersistent: false,
        topicAliasMaximum: 0,
      }),
    );
  }

  begin(): void {
    this.#beganMs = performance.now();
    this.#timer = setInterval(() => this.#request(), EVERY_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#connection.destroy();
  }

  beforeRead(): void {}

  packet(bytes: Uint8Array, start: number, _body: number, end: number): void {
    const type = bytes[start]! >> 4;
    if (type !== 9 && type !== 11) return;
    this.answered++;
    if (type === 9 && bytes[end - 1]! >= 0x80) this.failure = 'the broker refused a subscription';
  }

  afterRead(): void {}

  closed(): void {
    clearInterval(this.#timer);
  }

  #request(): void {
    const due = Math.floor(((performance.now() - this.#beganMs) / 1000) * this.#everySecond);
    const packets: Buffer[] = [];
    while (this.requested < due) packets.push(this.#packet(this.requested++));
    if (packets.length > 0) this.#connection.write(Buffer.concat(packets));
  }

  #packet(count: number): Buffer {
    const messageId = (count % UINT16_MAX) + 1;
    const turn = Math.floor(count / 2);
    if (count % 2 === 0 || turn < STANDING) {
      const subscriptions = [{ topic: filter(turn), qos: 0 as const }];
      return encode(this.#version, { cmd: 'subscribe', messageId, subscriptions });
    }
    const unsubscriptions = [filter(turn - STANDING)];
    return encode(this.#version, { cmd: 'unsubscribe', messageId, unsubscriptions });
  }
}

function filter(turn: number): string {
  const site = String(turn % 100).padStart(4, '0');
  return turn % 2 === 0
    ? `load/site-${site}/device/churn-${turn}/state`
    : `load/site-${site}/+/churn-${turn}/#`;
}
