import type { Clock } from '../base/clock.js';
import type { Random } from '../base/random.js';
import type { Dial, Line, LineEvents } from './line.js';
import { LinkUsage } from './link-usage.js';
import type { LinkProfile } from './profile.js';
import { ShapedConnection } from './shaped-connection.js';

export type Direction = 'up' | 'down';
/** `in`: the link took it; `out`: it came out at the far end. */
export type Trace = (atMs: number, way: Direction, what: 'in' | 'out', bytes: Buffer) => void;

export interface LinkOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly profile: LinkProfile;
  /** How the link reaches the broker. */
  readonly dial: Dial;
  readonly trace?: Trace;
  /** All the broker sends, when it sends it, before the link delays it; told also of ends. */
  readonly tap?: { data(bytes: Buffer): void; closed(): void };
}

/**
 * The link of one device. It outlives connections: what it counts is of all of them, and a black
 * hole swallows the next one as well.
 */
export class Link {
  readonly usage: LinkUsage;
  readonly profile: LinkProfile;
  readonly options: LinkOptions;
  readonly startMs: number;
  /** Connections that the broker's side ended so far, known to the device or not. */
  farEnds = 0;
  readonly #connections = new Set<ShapedConnection>();
  #blackHole = false;

  constructor(options: LinkOptions) {
    this.options = options;
    this.profile = options.profile;
    this.startMs = options.clock.nowMs();
    this.usage = new LinkUsage(options.clock);
  }

  /** Open connections, from the device's side or from the broker's. */
  get open(): number {
    return this.#connections.size;
  }

  get localPorts(): number[] {
    return [...this.#connections].flatMap(({ localPort }) => localPort ?? []);
  }

  dial(events: LineEvents): Line {
    const connection: ShapedConnection = new ShapedConnection(this, events, () =>
      this.#connections.delete(connection),
    );
    this.#connections.add(connection);
    connection.open();
    if (this.#blackHole) connection.halfOpen();
    return connection;
  }

  /** Both ends go on believing in every connection that is open now. */
  halfOpen(): void {
    for (const connection of this.#connections) connection.halfOpen();
  }

  /** As `halfOpen`, and new connections come to nothing as well, until it is lifted. */
  blackHole(on: boolean): void {
    this.#blackHole = on;
    if (on) this.halfOpen();
  }

  /** Connections break at both ends at once. */
  reset(): void {
    for (const connection of [...this.#connections]) connection.breakDown();
  }

  /** The device's end takes nothing more: the broker sees the window fill. */
  stopReading(): void {
    for (const connection of this.#connections) connection.pauseReading(true);
  }

  resumeReading(): void {
    for (const connection of this.#connections) connection.pauseReading(false);
  }

  /** Takes everything down without a word to the device. */
  close(): void {
    for (const connection of [...this.#connections]) connection.abandon();
  }
}
