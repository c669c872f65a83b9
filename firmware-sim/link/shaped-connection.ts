import type { Timer } from '../base/clock.js';
import type { Line, LineEvents } from './line.js';
import type { Direction, Link } from './link.js';
import { Pipe, type PipeSink } from './pipe.js';

/** One connection across a link: the device's end of it, and the socket to the broker behind. */
export class ShapedConnection implements Line {
  readonly #link: Link;
  readonly #events: LineEvents;
  readonly #gone: () => void;
  readonly #up: Pipe;
  readonly #down: Pipe;
  #far: Line | undefined;
  #opening: Timer | undefined;
  #deviceGone = false;
  #farGone = false;
  #frozen = false;

  constructor(link: Link, events: LineEvents, gone: () => void) {
    this.#link = link;
    this.#events = events;
    this.#gone = gone;
    this.#up = this.#pipe('up', {
      deliver: (segment) => this.#far?.write(segment),
      finish: () => this.#far?.end(),
      full: () => {},
    });
    this.#down = this.#pipe('down', {
      deliver: (segment) => {
        if (!this.#deviceGone) this.#events.data(segment);
      },
      finish: () => this.#tellDevice(false),
      full: (isFull) => (isFull ? this.#far?.pause() : this.#far?.resume()),
    });
  }

  get localPort(): number | undefined {
    return this.#far?.localPort;
  }

  /** SYN and its answer cross the link before the broker has a connection and the device sends. */
  open(): void {
    const { clock, random, profile } = this.#link.options;
    this.#link.usage.connections++;
    this.#bare('up', 2);
    this.#bare('down', 1);
    const waitMs = 2 * profile.latencyMs + profile.jitterMs * random.next();
    if (waitMs === 0) this.#reach();
    else this.#opening = clock.after(waitMs, () => this.#reach());
  }

  #reach(): void {
    if (this.#frozen || this.#deviceGone) return;
    const { dial, tap } = this.#link.options;
    this.#far = dial({
      opened: () => {
        if (!this.#frozen && !this.#deviceGone) this.#events.opened();
      },
      data: (bytes) => {
        if (this.#frozen) return;
        this.#trace('down', 'in', bytes);
        tap?.data(bytes);
        this.#down.push(bytes);
      },
      closed: (reset) => {
        tap?.closed();
        this.#farClosed(reset);
      },
    });
  }

  write(bytes: Buffer): void {
    this.#trace('up', 'in', bytes);
    this.#up.push(bytes);
  }

  /** The device has no more interest; what it wrote still crosses the link. */
  end(): void {
    if (this.#deviceGone) return;
    this.#deviceGone = true;
    this.#giveUpOpening();
    this.#up.end();
    this.#bare('up', 2);
    this.#bare('down', 2);
    this.#goneWhenBoth();
  }

  reset(): void {
    this.#deviceGone = true;
    this.#giveUpOpening();
    if (!this.#frozen) this.#far?.reset();
    this.#stop();
    this.#goneWhenBoth();
  }

  pause(): void {
    this.pauseReading(true);
  }

  resume(): void {
    this.pauseReading(false);
  }

  halfOpen(): void {
    this.#frozen = true;
    this.#up.freeze();
    this.#down.freeze();
  }

  /** Both ends see a reset. */
  breakDown(): void {
    this.#giveUpOpening();
    this.#far?.reset();
    this.#stop();
    this.#tellDevice(true);
  }

  abandon(): void {
    this.#deviceGone = true;
    this.#giveUpOpening();
    this.#stop();
    this.#far?.reset();
    this.#gone();
  }

  pauseReading(paused: boolean): void {
    if (paused) this.#far?.pause();
    else this.#far?.resume();
  }

  /** The broker has never heard of it. */
  #giveUpOpening(): void {
    if (this.#far !== undefined || this.#opening === undefined) return;
    this.#opening.cancel();
    this.#farGone = true;
  }

  #farClosed(reset: boolean): void {
    this.#farGone = true;
    if (!this.#deviceGone) this.#link.farEnds++;
    if (!this.#frozen) {
      if (reset) {
        this.#stop();
        this.#tellDevice(true);
      } else {
        this.#down.end();
      }
    }
    this.#goneWhenBoth();
  }

  #tellDevice(reset: boolean): void {
    if (this.#deviceGone) return;
    this.#deviceGone = true;
    this.#up.stop();
    this.#events.closed(reset);
    if (!this.#farGone) this.#far?.end();
    this.#goneWhenBoth();
  }

  #stop(): void {
    this.#up.stop();
    this.#down.stop();
  }

  #goneWhenBoth(): void {
    if (this.#deviceGone && this.#farGone) this.#gone();
  }

  #pipe(way: Direction, sink: Omit<PipeSink, 'sent'>): Pipe {
    const { clock, random, profile } = this.#link.options;
    const rate = way === 'up' ? profile.upBytesPerSecond : profile.downBytesPerSecond;
    return new Pipe(
      {
        clock,
        random,
        bytesPerSecond: rate,
        latencyMs: profile.latencyMs,
        jitterMs: way === 'down' ? (profile.downJitterMs ?? profile.jitterMs) : profile.jitterMs,
        segmentBytes: (way === 'up' ? profile.upSegmentBytes : undefined) ?? profile.segmentBytes,
        headerBytes: profile.headerBytes,
        stall: profile.stall,
        windowBytes: (way === 'down' ? profile.windowBytes : undefined) ?? Number.POSITIVE_INFINITY,
        joins: way === 'down',
        startMs: this.#link.startMs,
      },
      {
        ...sink,
        deliver: (segment) => {
          this.#trace(way, 'out', segment);
          sink.deliver(segment);
        },
        sent: (payloadBytes, wireBytes, airtimeMs) => {
          this.#link.usage.segment(way, payloadBytes, wireBytes, airtimeMs);
          this.#bare(way === 'up' ? 'down' : 'up', 1);
        },
      },
    );
  }

  /** Segments without payload; they are counted but not queued. */
  #bare(way: Direction, segments: number): void {
    const { profile, usage } = this.#link;
    // A serial line carries no segments and acknowledges none.
    if (profile.headerBytes === 0) return;
    const rate = way === 'up' ? profile.upBytesPerSecond : profile.downBytesPerSecond;
    const wireBytes = segments * profile.headerBytes;
    usage.packet(way, wireBytes, (wireBytes / rate) * 1000);
  }

  #trace(way: Direction, what: 'in' | 'out', bytes: Buffer): void {
    const { trace, clock } = this.#link.options;
    trace?.(clock.nowMs() - this.#link.startMs, way, what, bytes);
  }
}
