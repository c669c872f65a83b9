import type { EndOfTick, TickTask } from '../../base/clock.js';
import { Fifo } from '../../base/fifo.js';
import type {
  NetworkConnection,
  NetworkConnectionEvents,
  Peer,
  WriteRelease,
} from '../../session/network-connection.js';

/** Handed to the broker at the end of one tick, as a socket reads at most so much at once. */
const TICK_BYTES_MAX = 65_536;

const PEER: Peer = { address: 'local', host: 'local', listener: 'local' };

/** Told once: whether the broker took the packet before the connection ended. */
export type Settle = (taken: boolean) => void;

interface Outgoing {
  readonly bytes: Uint8Array;
  readonly settle: Settle | undefined;
}

/** The client's end. Both are called while the broker is at work: neither may call it back. */
export interface LocalEnd {
  /** Bytes of the broker, valid during the call only. */
  received(bytes: Uint8Array): void;
  ended(): void;
}

/**
 * A network connection without a network. Bytes for the broker wait for the flush phase at the end
 * of the tick, so that nothing a client does runs inside the path of another packet or inside a
 * hook.
 */
export class LocalNetwork implements NetworkConnection, TickTask {
  readonly peer: Peer = PEER;
  /** The client takes every byte at once: what holds the broker back is Receive Maximum. */
  readonly unsentBytes = 0;
  readonly #endOfTick: EndOfTick;
  readonly #end: LocalEnd;
  readonly #outgoing = new Fifo<Outgoing>();
  #events: NetworkConnectionEvents | undefined = undefined;
  #scheduled = false;
  #paused = false;
  #ended = false;
  #told = false;

  constructor(endOfTick: EndOfTick, end: LocalEnd) {
    this.#endOfTick = endOfTick;
    this.#end = end;
  }

  serve(events: NetworkConnectionEvents): void {
    this.#events = events;
  }

  /** One whole packet for the broker. */
  send(bytes: Uint8Array, settle?: Settle): void {
    if (this.#ended) {
      settle?.(false);
      return;
    }
    this.#outgoing.push({ bytes, settle });
    this.#schedule();
  }

  endOfTick(): void {
    this.#scheduled = false;
    let bytes = 0;
    while (!this.#paused && !this.#ended && bytes < TICK_BYTES_MAX) {
      const packet = this.#outgoing.shift();
      if (packet === undefined) return;
      bytes += packet.bytes.length;
      this.#events!.receive(packet.bytes);
      packet.settle?.(!this.#ended);
    }
    if (this.#ended) this.#tell();
    else if (!this.#paused) this.#schedule();
  }

  write(parts: readonly Uint8Array[], release: WriteRelease): void {
    for (const part of parts) this.#end.received(part);
    release.written(parts);
  }

  pauseReading(): void {
    this.#paused = true;
  }

  resumeReading(): void {
    this.#paused = false;
    if (this.#outgoing.length > 0) this.#schedule();
  }

  close(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#schedule();
    this.#end.ended();
    for (const { settle } of this.#outgoing) settle?.(false);
    this.#outgoing.clear();
  }

  #tell(): void {
    if (this.#told) return;
    this.#told = true;
    this.#events!.networkClosed('the in-process client is gone');
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#endOfTick.flush(this);
  }
}
