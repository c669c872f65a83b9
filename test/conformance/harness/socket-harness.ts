import { connect, type Socket } from 'node:net';
import type { Broker } from '../../../src/broker/broker.js';
import { defaultListenerPolicy } from '../../../src/session/limits.js';
import type { Listener } from '../../../src/transport/listener.js';
import { listenTcp } from '../../../src/transport/tcp-listener.js';
import { startBroker } from './broker-under-test.js';
import { type Harness, type HarnessFactory, Inbox, type Link, type Setup } from './harness.js';
import type { Version } from './hex-pattern.js';
import { encodePacket } from './packet.js';
import { VirtualTime } from './virtual-time.js';

/** Nothing waits that long unless the case fails. */
const WAIT_MS_MAX = 90_000;

/** A client of its own, whose round trips say that everything sent before has arrived. */
const FENCE_CLIENT_IDENTIFIER = '~';
const FENCE_ROUND_TRIPS = 2;
const PINGREQ = Uint8Array.of(0xc0, 0);
const CONNACK_BYTES_MIN = 4;

/** A broker in this process on virtual time, reached through the real transport over TCP. */
export const overSockets: HarnessFactory = (setup) => SocketHarness.start(setup);

export class SocketHarness implements Harness {
  readonly broker: Broker;
  readonly time: VirtualTime;
  readonly port: number;
  readonly #setup: Setup;
  readonly #listener: Listener;
  readonly #links: SocketLink[] = [];
  #fence: Promise<SocketLink> | undefined = undefined;

  private constructor(broker: Broker, time: VirtualTime, listener: Listener, setup: Setup) {
    this.broker = broker;
    this.time = time;
    this.port = Number(new URL(listener.url).port);
    this.#listener = listener;
    this.#setup = setup;
  }

  static async start(setup: Setup): Promise<SocketHarness> {
    const time = new VirtualTime();
    const broker = await startBroker(time, setup);
    const listener = await listenTcp({
      address: { scheme: 'mqtt', host: '127.0.0.1', port: 0, path: '' },
      onFault: (sentence) => {
        throw new Error(sentence);
      },
    });
    endTurnsInTheEventLoop(time);
    const policy = { ...defaultListenerPolicy, ...setup.policy };
    listener.start((network) => broker.accept(network, policy));
    return new SocketHarness(broker, time, listener, setup);
  }

  async open(): Promise<SocketLink> {
    const socket = connect({ host: '127.0.0.1', port: this.port, noDelay: true });
    const link = new SocketLink(socket, this);
    this.#links.push(link);
    await link.connected;
    return link;
  }

  async settle(): Promise<void> {
    this.#fence ??= this.#openFence();
    const fence = await this.#fence;
    for (let i = 0; i < FENCE_ROUND_TRIPS || !this.time.quiet; i++) {
      await fence.send(PINGREQ);
      await fence.until(() => fence.inbox.length >= PINGREQ.length);
      fence.inbox.take(PINGREQ.length);
      await turn();
    }
  }

  advance(ms: number): Promise<void> {
    return this.time.advance(ms, () => this.settle());
  }

  async stop(): Promise<void> {
    for (const link of this.#links) link.destroy();
    await this.#listener.stopAccepting();
    this.#listener.destroyConnections();
    for (let i = 0; this.broker.connections > 0 && i < 1000; i++) await turn();
  }

  /** A client that drops is gone for the broker when it has read the end. */
  async ended(before: number): Promise<void> {
    const deadline = performance.now() + WAIT_MS_MAX;
    while (this.broker.connections >= before && performance.now() < deadline) await turn();
    await this.settle();
  }

  async #openFence(): Promise<SocketLink> {
    const link = await this.open();
    const version: Version = this.#setup.policy?.protocolVersions?.[0] ?? 4;
    const fields = { clientId: FENCE_CLIENT_IDENTIFIER };
    await link.send(encodePacket({ CONNECT: fields }, version, new Map()));
    await link.until(() => link.inbox.length >= CONNACK_BYTES_MIN);
    await turn();
    link.inbox.take(link.inbox.length);
    return link;
  }
}

class SocketLink implements Link {
  readonly inbox: Inbox = new Inbox();
  closed = false;
  readonly connected: Promise<void>;
  readonly #socket: Socket;
  readonly #harness: SocketHarness;
  #waiting: (() => void) | undefined = undefined;

  constructor(socket: Socket, harness: SocketHarness) {
    this.#socket = socket;
    this.#harness = harness;
    this.connected = new Promise((resolve) => {
      socket.once('connect', resolve);
    });
    socket.on('data', (chunk) => {
      this.inbox.add(chunk);
      this.#waiting?.();
    });
    // A reset is an end like any other: `close` follows.
    socket.on('error', () => {});
    socket.once('end', () => this.#end());
    socket.once('close', () => this.#end());
  }

  async send(bytes: Uint8Array): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#socket.write(bytes, () => resolve());
    });
  }

  async drop(): Promise<void> {
    const before = this.#harness.broker.connections;
    this.destroy();
    await this.#harness.ended(before);
  }

  destroy(): void {
    this.#socket.destroy();
  }

  until(condition: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const check = (): void => {
        if (condition() || this.closed) done();
      };
      const deadline = setTimeout(done, WAIT_MS_MAX);
      this.#waiting = check;
      const stopWaiting = (): void => {
        this.#waiting = undefined;
      };
      function done(): void {
        clearTimeout(deadline);
        stopWaiting();
        resolve();
      }
      check();
    });
  }

  #end(): void {
    this.closed = true;
    this.#waiting?.();
  }
}

/** A turn ends when the event loop has handed out what it had. */
export function endTurnsInTheEventLoop(time: VirtualTime): void {
  let scheduled = false;
  time.onTask = () => {
    if (scheduled) return;
    scheduled = true;
    setImmediate(() => {
      scheduled = false;
      time.run();
    });
  };
}

function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
