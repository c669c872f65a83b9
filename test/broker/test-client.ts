import {
  CLOSED_BY_CLIENT,
  type NetworkConnection,
  type NetworkConnectionEvents,
  type Peer,
  type WriteRelease,
} from '../../src/session/network-connection.js';
import { decoded, encoded, type Fields } from './packets.js';

/** What a client needs of its world. */
export interface ClientWorld {
  run(): void;
}

/** What a chunk is overwritten with once it was received: whoever kept a view of it sees this. */
const SCRIBBLE = 0xaa;

/** A client and its network in one: what it sends arrives in the same turn, unless it is clogged. */
export class TestClient implements NetworkConnection {
  readonly peer: Peer;
  readonly version: 3 | 4 | 5;
  readonly closed: ('after-flush' | 'now')[] = [];
  events!: NetworkConnectionEvents;
  connack: Fields = {};
  unsentBytes = 0;
  /** Number of calls of `write`. */
  writes = 0;
  isPaused = false;
  /** The process that served it is gone. */
  isDead = false;
  #isClogged = false;
  #isOver = false;
  #identifiers = 0x100;
  readonly #world: ClientWorld;
  #received: Uint8Array[] = [];
  #packets: Fields[] = [];
  #releases: (() => void)[] = [];
  #unread: Uint8Array[] = [];

  constructor(world: ClientWorld, version: 3 | 4 | 5, host: string) {
    this.#world = world;
    this.version = version;
    this.peer = { address: `${host}:50000`, host, listener: 'mqtt://192.0.2.2:1883' };
  }

  get isQuiet(): boolean {
    const isReading = !this.isPaused && !this.#isOver && this.#unread.length > 0;
    return this.isDead || (!isReading && (this.#isClogged || this.#releases.length === 0));
  }

  get isClosed(): boolean {
    return this.closed.length > 0;
  }

  /** All packets in one chunk. */
  send(...packets: readonly Fields[]): void {
    this.sendBytes(Buffer.concat(packets.map((packet) => encoded(packet, this.version))));
  }

  sendBytes(bytes: Uint8Array): void {
    this.#unread.push(Uint8Array.from(bytes));
    this.#world.run();
  }

  subscribe(topic: string, options: Fields = {}, properties: Fields = {}): Fields {
    this.send(this.subscribePacket(topic, options, properties));
    return this.take('suback');
  }

  subscribePacket(topic: string, options: Fields = {}, properties: Fields = {}): Fields {
    const subscription = { topic, qos: 0, nl: false, rap: false, rh: 0, ...options };
    const messageId = this.#identifiers++;
    return { cmd: 'subscribe', messageId, subscriptions: [subscription], properties };
  }

  unsubscribe(topic: string): Fields {
    const messageId = this.#identifiers++;
    this.send({ cmd: 'unsubscribe', messageId, unsubscriptions: [topic] });
    return this.take('unsuback');
  }

  publish(topic: string, payload: string | Uint8Array, fields: Fields = {}): void {
    this.send(this.publishPacket(topic, payload, fields));
  }

  publishPacket(topic: string, payload: string | Uint8Array, fields: Fields = {}): Fields {
    const messageId = fields['qos'] === undefined ? undefined : this.#identifiers++;
    const defaults = { qos: 0, dup: false, retain: false, messageId };
    const body = typeof payload === 'string' ? payload : Buffer.from(payload);
    return { ...defaults, ...fields, cmd: 'publish', topic, payload: body };
  }

  /** A normal end. */
  disconnect(fields: Fields = {}): void {
    this.send({ cmd: 'disconnect', ...fields });
    this.drop();
  }

  /** The network connection ends without a word. */
  drop(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#releaseAll();
    this.events.networkClosed(CLOSED_BY_CLIENT);
    this.#world.run();
  }

  /** Nothing that the broker writes leaves any more. */
  clog(): void {
    this.#isClogged = true;
  }

  unclog(): void {
    this.#isClogged = false;
    this.#world.run();
  }

  /** The packets that came and were not taken. */
  packets(): Fields[] {
    if (this.#received.length > 0) {
      this.#packets.push(...decoded(Buffer.concat(this.#received), this.version));
      this.#received = [];
    }
    const packets = this.#packets;
    this.#packets = [];
    return packets;
  }

  /** The next packet, which must be of this kind. */
  take(cmd: string): Fields {
    const packets = this.packets();
    const [first, ...rest] = packets;
    this.#packets = rest;
    if (first?.['cmd'] !== cmd) {
      throw new Error(`no ${cmd} but ${JSON.stringify(packets)}`);
    }
    return first;
  }

  /** Payloads of the PUBLISH packets that came; other packets are forgotten. */
  payloads(): string[] {
    return this.publishes().map(({ payload }) => String(payload));
  }

  publishes(): Fields[] {
    return this.packets().filter(({ cmd }) => cmd === 'publish');
  }

  /** What came, in short: `publish 1 a`, `publish 1 dup a`, `publish a` at QoS 0, `puback 7 0x97`. */
  brief(): string[] {
    return this.packets().map(briefly);
  }

  puback(messageId: number): void {
    this.send({ cmd: 'puback', messageId });
  }

  write(parts: readonly Uint8Array[], release: WriteRelease): void {
    if (this.isClosed) throw new Error('the broker wrote behind its own close');
    this.writes++;
    for (const part of parts) {
      this.#received.push(part.slice());
      this.unsentBytes += part.length;
    }
    this.#releases.push(() => release.written(parts));
  }

  pauseReading(): void {
    this.isPaused = true;
  }

  resumeReading(): void {
    this.isPaused = false;
  }

  close(how: 'after-flush' | 'now'): void {
    this.closed.push(how);
    this.#isOver = true;
  }

  /** What a transport does between two turns. */
  turn(): void {
    if (this.isDead) return;
    if (!this.#isClogged) this.#releaseAll();
    while (this.#unread.length > 0 && !this.isPaused && !this.#isOver) {
      const chunk = this.#unread.shift()!;
      this.events.receive(chunk);
      chunk.fill(SCRIBBLE);
    }
  }

  #releaseAll(): void {
    const releases = this.#releases;
    if (releases.length === 0) return;
    this.#releases = [];
    for (const release of releases) release();
    this.unsentBytes = 0;
    if (!this.#isOver) this.events.drained();
  }
}

function briefly({ cmd, messageId, dup, payload, reasonCode }: Fields): string {
  const parts = [String(cmd)];
  if (messageId !== undefined) parts.push(String(messageId));
  if (dup === true) parts.push('dup');
  if (cmd === 'publish') parts.push(String(payload));
  if (typeof reasonCode === 'number' && reasonCode > 0) parts.push(`0x${reasonCode.toString(16)}`);
  return parts.join(' ');
}
