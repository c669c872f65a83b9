import type {
  NetworkConnection,
  Peer,
  WriteRelease,
} from '../../src/session/network-connection.js';

/** Notes what is written; nothing is given back before `release`. */
export class FakeNetwork implements NetworkConnection {
  readonly peer: Peer = { address: '192.0.2.1:1', host: '192.0.2.1', listener: 'mqtt://x:1883' };
  unsentBytes = 0;
  /** Nothing is ever unsent, as with a system that has room. */
  takesAll = false;
  /** The parts of each write. */
  readonly writes: (readonly Uint8Array[])[] = [];
  #releases: (() => void)[] = [];

  /** All bytes written since the last call. */
  take(): Buffer {
    return Buffer.concat(this.writes.splice(0).flat());
  }

  release(): void {
    this.unsentBytes = 0;
    for (const release of this.#releases.splice(0)) release();
  }

  /** The newest write alone, which can never leave: those before it may still. */
  releaseLast(): void {
    this.#releases.pop()?.();
  }

  write(parts: readonly Uint8Array[], release: WriteRelease): void {
    this.writes.push([...parts]);
    if (!this.takesAll) for (const part of parts) this.unsentBytes += part.length;
    this.#releases.push(() => release.written(parts));
  }

  pauseReading(): void {}

  resumeReading(): void {}

  close(): void {}
}
