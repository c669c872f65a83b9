import {
  CLOSED_BY_CLIENT,
  type NetworkConnection,
  type NetworkConnectionEvents,
  type Peer,
  type WriteRelease,
} from '../../src/session/network-connection.js';
import { type PipeWorld, SimPipe } from './sim-pipe.js';
import type { WireTap } from './wire-tap.js';

/** How long the transport waits for the last bytes to leave. */
const CLOSE_DEADLINE_MS = 5000;

/** The client's end. */
export interface LinkClient {
  received(chunk: Uint8Array): void;
  /** The connection is gone, by whatever cause; called once. */
  closed(): void;
}

export interface LinkOptions {
  /** Bytes the network holds before the server's writes wait. */
  readonly sendBufferBytes: number;
}

interface UnsentWrite {
  readonly parts: readonly Uint8Array[];
  readonly release: WriteRelease;
  part: number;
  offset: number;
}

/** A network connection: a pipe each way, which like TCP neither loses nor reorders bytes. */
export class SimLink implements NetworkConnection {
  readonly peer: Peer;
  readonly toServer: SimPipe;
  readonly toClient: SimPipe;
  readonly #world: PipeWorld;
  readonly #options: LinkOptions;
  readonly #tap: WireTap;
  #client: LinkClient | undefined;
  #events: NetworkConnectionEvents | undefined = undefined;
  readonly #unsent: UnsentWrite[] = [];
  readonly #unreleased: UnsentWrite[] = [];
  #unsentBytes = 0;
  #waitsForDrain = false;
  #drainedMs = -1;
  /** Since then there has always been something that the network had not taken. */
  fullSinceMs = 0;
  /** The server asked for the end. */
  #closing = false;
  /** Bytes of the client that the broker was given. */
  deliveredBytes = 0;
  sentBytes = 0;
  /** The broker ended it before the client's end arrived. */
  wasEndedByServer = false;

  constructor(
    world: PipeWorld,
    name: string,
    client: LinkClient,
    tap: WireTap,
    options: LinkOptions,
  ) {
    this.#world = world;
    this.#options = options;
    this.#client = client;
    this.#tap = tap;
    this.peer = { address: name, host: name.split(':')[0]!, listener: 'sim' };
    this.toServer = new SimPipe(world, `${name} >`, {
      chunk: (chunk) => this.#serverReceives(chunk),
      end: () => this.#serverIsClosed(CLOSED_BY_CLIENT),
    });
    this.toClient = new SimPipe(world, `${name} <`, {
      chunk: (chunk) => this.#clientReceives(chunk),
      end: () => {
        this.#clientIsClosed();
        this.toServer.end();
      },
    });
  }

  /** The broker has accepted it. */
  serve(events: NetworkConnectionEvents): void {
    this.#events = events;
  }

  get isServed(): boolean {
    return this.#events !== undefined;
  }

  get unreleasedWrites(): number {
    return this.#unreleased.length + this.#unsent.length;
  }

  // The server's side.

  get unsentBytes(): number {
    return this.#unsentBytes;
  }

  write(parts: readonly Uint8Array[], release: WriteRelease): void {
    if (this.#events === undefined) {
      this.#world.after(0, `${this.peer.address} unsent`, () => release.written(parts));
      return;
    }
    if (this.#closing) {
      this.#tap.fail('the broker wrote to a connection that it had closed');
      return;
    }
    const { nowMs } = this.#world;
    if (this.#unsentBytes === 0 && nowMs > this.#drainedMs) this.fullSinceMs = nowMs;
    for (const part of parts) {
      this.#tap.sent(part);
      this.#unsentBytes += part.length;
    }
    this.#unsent.push({ parts, release, part: 0, offset: 0 });
    this.#fill();
    if (this.#unsentBytes > 0) this.#waitsForDrain = true;
  }

  pauseReading(): void {
    this.toServer.pause();
  }

  resumeReading(): void {
    this.toServer.resume();
  }

  close(how: 'after-flush' | 'now'): void {
    if (this.#closing || this.#events === undefined) return;
    this.#closing = true;
    this.toServer.resume();
    if (how === 'now') {
      this.#world.after(0, `${this.peer.address} cut`, () => this.#cut('the broker closed it'));
      return;
    }
    if (this.#unsentBytes === 0) this.toClient.end();
    this.#world.after(CLOSE_DEADLINE_MS, `${this.peer.address} deadline`, () => {
      if (this.#events !== undefined) this.#cut('the last bytes did not leave in time');
    });
  }

  /** The broker's process is gone; what the network has taken may still arrive. */
  processDied(arrives: boolean): void {
    this.#events = undefined;
    this.#unsent.length = 0;
    this.#unreleased.length = 0;
    this.toServer.die();
    if (arrives) this.toClient.end();
    else {
      this.toClient.die();
      this.#world.after(1, `${this.peer.address} reset`, () => this.#clientIsClosed());
    }
  }

  // The client's side.

  send(bytes: Uint8Array): void {
    if (this.#client === undefined) return;
    this.sentBytes += bytes.length;
    this.toServer.push(bytes);
  }

  /** Ends in order: what was sent arrives first. */
  closeByClient(): void {
    this.#client = undefined;
    this.toServer.end();
    this.toClient.die();
  }

  /** The network breaks it: bytes under way are lost, both sides notice. */
  reset(): void {
    this.toServer.die();
    this.toClient.die();
    this.#world.after(1, `${this.peer.address} reset`, () => this.#clientIsClosed());
    this.#world.after(2, `${this.peer.address} reset`, () => this.#serverIsClosed('reset'));
  }

  /** The client is gone and nobody tells the server. */
  vanish(): void {
    this.#client = undefined;
    this.toServer.die();
    this.toClient.block();
  }

  #serverReceives(chunk: Uint8Array): void {
    if (this.#events === undefined || this.#closing) {
      this.wasEndedByServer = true;
      return;
    }
    this.deliveredBytes += chunk.length;
    this.#tap.received(chunk);
    this.#events.receive(chunk);
    // They are valid during the call only: whoever kept a view sees this.
    chunk.fill(0xee);
  }

  #clientReceives(chunk: Uint8Array): void {
    this.#client?.received(chunk);
    this.#fill();
    if (this.#unsentBytes > 0) return;
    if (this.#closing) this.toClient.end();
    else if (this.#waitsForDrain) {
      this.#waitsForDrain = false;
      this.#drainedMs = this.#world.nowMs;
      this.#events?.drained();
    }
  }

  /** The network takes what it has room for: copied now, because the parts are released then. */
  #fill(): void {
    while (this.#unsent.length > 0) {
      const room = this.#options.sendBufferBytes - this.toClient.length;
      if (room <= 0) return;
      const write = this.#unsent[0]!;
      const part = write.parts[write.part];
      if (part === undefined) {
        this.#unsent.shift();
        this.#releaseLater(write);
        continue;
      }
      const piece = part.slice(write.offset, write.offset + room);
      this.toClient.push(piece);
      this.#unsentBytes -= piece.length;
      write.offset += piece.length;
      if (write.offset === part.length) {
        write.part++;
        write.offset = 0;
      }
    }
  }

  #releaseLater(write: UnsentWrite): void {
    this.#unreleased.push(write);
    this.#world.after(0, `${this.peer.address} written`, () => {
      const first = this.#unreleased.shift();
      if (this.#events !== undefined) first?.release.written(first.parts);
    });
  }

  #cut(cause: string): void {
    this.toServer.die();
    this.toClient.die();
    this.#clientIsClosed();
    this.#serverIsClosed(cause);
  }

  #clientIsClosed(): void {
    const client = this.#client;
    this.#client = undefined;
    client?.closed();
  }

  #serverIsClosed(cause: string): void {
    const events = this.#events;
    if (events === undefined) return;
    this.#closing = true;
    for (const write of [...this.#unreleased.splice(0), ...this.#unsent.splice(0)]) {
      write.release.written(write.parts);
    }
    this.#unsentBytes = 0;
    this.#events = undefined;
    this.toClient.die();
    if (this.#client !== undefined) {
      this.#world.after(1, `${this.peer.address} end`, () => this.#clientIsClosed());
    }
    events.networkClosed(cause);
  }
}
