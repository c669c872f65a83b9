/** Who is at the other end, as the transport knows it. */
export interface Peer {
  /**
   * The remote address and port as text, such as `192.168.1.31:50712`; `local` for an in-process
   * client.
   */
  readonly address: string;
  /** The remote host alone: what limits per address count. */
  readonly host: string;
  /** The listener's URL as configured, such as `mqtt://127.0.0.1:1883`. */
  readonly listener: string;
}

/**
 * The socket as the protocol sees it; `transport/*` and `test/sim` implement it. The transport
 * calls `Connection.receive`, `Connection.drained` and `Connection.networkClosed`.
 */
export interface NetworkConnection {
  readonly peer: Peer;
  /** Bytes accepted by `write` that the operating system has not taken yet. */
  readonly unsentBytes: number;
  /**
   * Sends the parts in order. Called once a tick by the Outbox. The parts belong to the transport
   * until `release` of the same call runs (once, when all of them have left or the connection is
   * gone).
   */
  write(parts: readonly Uint8Array[], release: WriteRelease): void;
  pauseReading(): void;
  resumeReading(): void;
  /**
   * `after-flush` sends what was written first and ends by force after a deadline; `now` drops it.
   */
  close(how: 'after-flush' | 'now'): void;
}

export interface WriteRelease {
  written(parts: readonly Uint8Array[]): void;
}

/** What a transport calls: implemented by `session/connection.ts`. */
export interface NetworkConnectionEvents {
  /** The bytes are valid during the call only. */
  receive(chunk: Uint8Array): void;
  /** All that was written has left: `unsentBytes` is 0 again. */
  drained(): void;
  /** The network connection is gone, by whatever cause; called exactly once. */
  networkClosed(cause: string): void;
}
