import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { generate, type IConnectPacket, type IPublishPacket, type Packet } from 'mqtt-packet';

let address = '127.0.0.1';

/** Strangers come from this address from now on: all of 127.0.0.0/8 is this machine. */
export function comeFrom(host: string): void {
  address = host;
}

/** A connection that says whatever it is told, and counts what comes. */
export class Stranger {
  readonly socket: Socket;
  readonly closed: Promise<void>;
  received: Buffer = Buffer.alloc(0);
  isClosed = false;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => {
      // The beginning is enough to know what it is.
      if (this.received.length < 65_536) this.received = Buffer.concat([this.received, chunk]);
    });
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        this.isClosed = true;
        resolve();
      });
    });
  }

  static async open(port: number): Promise<Stranger> {
    const socket = connect({ port, host: '127.0.0.1', localAddress: address, noDelay: true });
    const stranger = new Stranger(socket);
    await Promise.race([once(socket, 'connect'), stranger.closed]);
    return stranger;
  }

  /** Says bytes and waits until they are handed to the system, or the connection is gone. */
  async say(bytes: Uint8Array | string): Promise<void> {
    if (this.isClosed || !this.socket.writable) return;
    if (!this.socket.write(bytes)) {
      await Promise.race([once(this.socket, 'drain').catch(() => {}), this.closed]);
    }
  }

  /** Waits until so many bytes came, or the connection is gone. */
  async hears(count: number): Promise<Buffer> {
    while (this.received.length < count && !this.isClosed) {
      await Promise.race([once(this.socket, 'data').catch(() => {}), this.closed]);
    }
    return this.received;
  }

  leave(): void {
    this.socket.destroy();
  }
}

export function bytesOf(packet: Packet, version: 4 | 5 = 4): Buffer {
  return generate(packet, { protocolVersion: version });
}

export type ConnectFields = Partial<Omit<IConnectPacket, 'cmd'>> & { readonly version?: 4 | 5 };

export function connectBytes(fields: ConnectFields = {}): Buffer {
  const { version = 4, ...more } = fields;
  const protocol = { protocolId: 'MQTT', protocolVersion: version } as const;
  const packet = { ...protocol, clientId: '', clean: true, keepalive: 0, ...more };
  return bytesOf({ cmd: 'connect', ...packet }, version);
}

/** A connection that was let in. */
export async function letIn(port: number, fields: ConnectFields = {}): Promise<Stranger> {
  const stranger = await Stranger.open(port);
  await stranger.say(connectBytes(fields));
  const answer = await stranger.hears(4);
  const code = answer[3];
  if (code !== 0) throw new Error(`not let in: ${answer.toString('hex')}`);
  return stranger;
}

/** Carries out so many at a time. */
export async function inWaves(
  count: number,
  atOnce: number,
  act: (index: number) => Promise<unknown>,
): Promise<void> {
  for (let from = 0; from < count; from += atOnce) {
    const size = Math.min(atOnce, count - from);
    await Promise.all(Array.from({ length: size }, (_, i) => act(from + i)));
  }
}

const PLAIN = { retain: false, dup: false, messageId: 1 } as const;

export function publishBytes(
  topic: string,
  payload: Uint8Array | string,
  fields: Partial<IPublishPacket> = {},
): Buffer {
  const packet = { ...PLAIN, qos: 0 as const, ...fields };
  return bytesOf({ ...packet, cmd: 'publish', topic, payload: Buffer.from(payload) });
}

const FILTERS_IN_A_PACKET = 1000;

/** Reason codes, in order. */
export async function subscribe(stranger: Stranger, filters: readonly string[]): Promise<number[]> {
  const codes: number[] = [];
  for (let at = 0; at < filters.length; at += FILTERS_IN_A_PACKET) {
    const some = filters.slice(at, at + FILTERS_IN_A_PACKET);
    const subscriptions = some.map((topic) => ({ topic, qos: 0 as const }));
    stranger.received = Buffer.alloc(0);
    await stranger.say(bytesOf({ cmd: 'subscribe', messageId: 1, subscriptions }));
    const answer = await stranger.hears(some.length + 4);
    codes.push(...answer.subarray(-some.length));
  }
  return codes;
}

/** Waits until the broker has carried out all that this one said. */
export async function settle(stranger: Stranger): Promise<void> {
  stranger.received = Buffer.alloc(0);
  await stranger.say(bytesOf({ cmd: 'pingreq' }));
  await stranger.hears(2);
}
