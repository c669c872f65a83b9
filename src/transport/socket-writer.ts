import type { Socket } from 'node:net';
import type { WriteRelease } from '../session/network-connection.js';

interface PendingWrite {
  readonly parts: readonly Uint8Array[];
  readonly release: WriteRelease;
}

/**
 * The sending half of a socket: all parts of a flush leave in one system call, and each flush is
 * released once, in order, when the system has taken it or the socket is gone.
 */
export class SocketWriter {
  readonly #socket: Socket;
  readonly #drained: () => void;
  // Callbacks come in the order of the writes, so one function serves all of them.
  readonly #pending: PendingWrite[] = [];
  #waitsForDrain = false;
  #closed = false;

  constructor(socket: Socket, drained: () => void) {
    this.#socket = socket;
    this.#drained = drained;
  }

  /** Bytes that the operating system has not taken; `drained` is called when it becomes 0 again. */
  get unsentBytes(): number {
    return this.#socket.writableLength;
  }

  /** Sends the parts, behind `head` if there is one. Nothing is copied. */
  write(head: Uint8Array | undefined, parts: readonly Uint8Array[], release: WriteRelease): void {
    const socket = this.#socket;
    const last = parts.length - 1;
    if (last < 0 || this.#closed || !socket.writable) {
      releaseUnsent(parts, release);
      return;
    }
    this.#pending.push({ parts, release });
    if (last === 0 && head === undefined) {
      socket.write(parts[0]!, this.#written);
    } else {
      socket.cork();
      if (head !== undefined) socket.write(head);
      for (let i = 0; i < last; i++) socket.write(parts[i]!);
      socket.write(parts[last]!, this.#written);
      socket.uncork();
    }
    if (socket.writableLength > 0) this.#waitsForDrain = true;
  }

  /** The socket is gone: releases what never left. */
  closed(): void {
    this.#closed = true;
    while (this.#pending.length > 0) this.#releaseOldest();
  }

  readonly #written = (): void => {
    if (this.#closed) return;
    this.#releaseOldest();
    if (this.#waitsForDrain && this.#socket.writableLength === 0 && !this.#socket.destroyed) {
      this.#waitsForDrain = false;
      this.#drained();
    }
  };

  #releaseOldest(): void {
    const pending = this.#pending.shift();
    pending?.release.written(pending.parts);
  }
}

/** For bytes that cannot leave any more. Later, so that nobody is called inside its own call. */
export function releaseUnsent(parts: readonly Uint8Array[], release: WriteRelease): void {
  queueMicrotask(() => release.written(parts));
}
