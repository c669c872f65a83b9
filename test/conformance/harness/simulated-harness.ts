import type { Broker } from '../../../src/broker/broker.js';
import { defaultListenerPolicy } from '../../../src/session/limits.js';
import type {
  NetworkConnection,
  NetworkConnectionEvents,
  Peer,
  WriteRelease,
} from '../../../src/session/network-connection.js';
import { startBroker } from './broker-under-test.js';
import { type Harness, type HarnessFactory, Inbox, type Link, type Setup } from './harness.js';
import { VirtualTime } from './virtual-time.js';

/** Bytes of one `send` that go one at a time; what is behind them goes in one piece. */
const SINGLE_BYTES_MAX = 2000;

/** What a chunk is overwritten with once it was received: whoever kept a view sees it. */
const SCRIBBLE = 0xaa;

const PEER: Peer = {
  address: '192.0.2.1:50000',
  host: '192.0.2.1',
  listener: 'mqtt://192.0.2.2:1883',
};

/** A broker in this process on virtual time; its network connections are arrays. */
export const simulated: HarnessFactory = (setup) => SimulatedHarness.start(setup, false);

/** The same, but every byte comes alone. */
export const byteByByte: HarnessFactory = (setup) => SimulatedHarness.start(setup, true);

class SimulatedHarness implements Harness {
  readonly broker: Broker;
  readonly time: VirtualTime;
  readonly bytesAlone: boolean;
  readonly #setup: Setup;
  readonly #links: SimulatedLink[] = [];

  private constructor(broker: Broker, time: VirtualTime, setup: Setup, bytesAlone: boolean) {
    this.broker = broker;
    this.time = time;
    this.#setup = setup;
    this.bytesAlone = bytesAlone;
  }

  static async start(setup: Setup, bytesAlone: boolean): Promise<SimulatedHarness> {
    const time = new VirtualTime();
    return new SimulatedHarness(await startBroker(time, setup), time, setup, bytesAlone);
  }

  async open(): Promise<Link> {
    const link = new SimulatedLink(this);
    this.#links.push(link);
    link.events = this.broker.accept(link, { ...defaultListenerPolicy, ...this.#setup.policy });
    return link;
  }

  /** Turns without a promise; enough between the bytes of one packet. */
  turn(): void {
    do {
      this.time.run();
      for (const link of this.#links) link.turn();
    } while (!this.#quiet());
  }

  async settle(): Promise<void> {
    do {
      this.turn();
      await new Promise(setImmediate);
    } while (!this.#quiet());
  }

  advance(ms: number): Promise<void> {
    return this.time.advance(ms, () => this.settle());
  }

  async stop(): Promise<void> {
    for (const link of this.#links) await link.drop();
  }

  #quiet(): boolean {
    return this.time.quiet && this.#links.every((link) => link.quiet);
  }
}

class SimulatedLink implements Link, NetworkConnection {
  readonly inbox: Inbox = new Inbox();
  readonly peer: Peer = PEER;
  closed = false;
  unsentBytes = 0;
  events: NetworkConnectionEvents | undefined = undefined;
  readonly #harness: SimulatedHarness;
  #releases: (() => void)[] = [];
  #unread: Uint8Array[] = [];
  #paused = false;
  #ended = false;
  #told = false;

  constructor(harness: SimulatedHarness) {
    this.#harness = harness;
  }

  get quiet(): boolean {
    const reading = !this.#paused && !this.#ended && this.#unread.length > 0;
    return this.#releases.length === 0 && !reading && this.#ended === this.#told;
  }

  async send(bytes: Uint8Array): Promise<void> {
    const alone = this.#harness.bytesAlone ? Math.min(bytes.length, SINGLE_BYTES_MAX) : 0;
    for (let i = 0; i < alone; i++) {
      this.#unread.push(bytes.slice(i, i + 1));
      this.#harness.turn();
    }
    if (alone < bytes.length) this.#unread.push(bytes.slice(alone));
    await this.#harness.settle();
  }

  async drop(): Promise<void> {
    this.#ended = true;
    await this.#harness.settle();
  }

  until(): Promise<void> {
    return this.#harness.settle();
  }

  write(parts: readonly Uint8Array[], release: WriteRelease): void {
    if (this.#ended) throw new Error('the broker wrote behind its own close');
    for (const part of parts) {
      this.inbox.add(part.slice());
      this.unsentBytes += part.length;
    }
    this.#releases.push(() => release.written(parts));
  }

  pauseReading(): void {
    this.#paused = true;
  }

  resumeReading(): void {
    this.#paused = false;
  }

  close(): void {
    this.closed = true;
    this.#ended = true;
  }

  /** What a transport does between two turns: gives buffers back, reads, tells of the end. */
  turn(): void {
    this.#release();
    while (this.#unread.length > 0 && !this.#paused && !this.#ended) {
      const chunk = this.#unread.shift()!;
      this.events!.receive(chunk);
      chunk.fill(SCRIBBLE);
    }
    if (!this.#ended || this.#told) return;
    this.#told = true;
    this.#release();
    this.events!.networkClosed('the simulated network connection ended');
  }

  #release(): void {
    const releases = this.#releases;
    if (releases.length === 0) return;
    this.#releases = [];
    for (const release of releases) release();
    this.unsentBytes = 0;
    if (!this.#told) this.events!.drained();
  }
}
