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
  /** Of a TLS client that showed one, checked against the listener's authorities. */
  readonly certificate?: PeerCertificate;
  /** Of a TLS client that knows the key that the listener's PSK file has under this name. */
  readonly pskIdentity?: string;
  /** What a trusted proxy found in the client's certificate (PROXY protocol, version 2). */
  readonly proxiedCommonName?: string;
  /** The trusted proxy that the client came through; `address` is then the client's. */
  readonly proxiedFrom?: string;
  /** What a WebSocket client's upgrade request brought along. */
  readonly request?: PeerRequest;
}

/** A client's certificate, as far as somebody may want to know its owner by it. */
export interface PeerCertificate {
  readonly commonName: string | undefined;
  /** Host names, addresses, mail addresses and URIs without their kinds, in their order. */
  readonly subjectAltNames: readonly string[];
  /** SHA-256 of the certificate: 64 hexadecimal digits in lower case, without colons. */
  readonly fingerprint256: string;
  /** The whole subject on one line, such as `CN=pump, O=Works`. */
  readonly subject: string;
  /** The one of these that the listener's `user_name_from` chooses. */
  readonly userName: string | undefined;
}

/** Nothing of it has been judged by anybody. */
export interface PeerRequest {
  /** With its query, as the client wrote it. */
  readonly url: string;
  readonly origin: string | undefined;
  readonly cookies: Readonly<Record<string, string>>;
  /** From `Authorization: Bearer`, or from an offered subprotocol `bearer.TOKEN`. */
  readonly token: string | undefined;
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
   * Sends the parts in order. Called once a tick by the Outbox, and in between where
   * `takesBursts`. The parts belong to the transport
   * until `release` of the same call runs: once, when all of them have left or the connection is
   * gone; before this call returns, where the system takes them at once.
   */
  write(parts: readonly Uint8Array[], release: WriteRelease): void;
  /** `write` calls nobody but `release`, so that a burst may leave in the middle of a tick. */
  readonly takesBursts?: boolean;
  pauseReading(): void;
  resumeReading(): void;
  /** CONNECT was accepted: the transport may lift what it only asks of strangers. */
  admitted?(): void;
  /**
   * From now on, and after two hours without a byte either way, the system asks whether the other
   * end still exists. It gives up after ten seconds, and each question wakes a radio: so it is for
   * those alone who promise no sign of life themselves.
   */
  probeWhenSilent?(): void;
  /**
   * `after-flush` sends what was written first and ends by force after a deadline; `now` drops it.
   */
  close(how: 'after-flush' | 'now'): void;
}

export interface WriteRelease {
  written(parts: readonly Uint8Array[]): void;
}

/** The cause of `networkClosed` where the client itself has ended the connection, in order. */
export const CLOSED_BY_CLIENT = 'the client closed the connection';

/** What a transport calls: implemented by `session/connection.ts`. */
export interface NetworkConnectionEvents {
  /** The bytes are valid during the call only. */
  receive(chunk: Uint8Array): void;
  /** All that was written has left: `unsentBytes` is 0 again. */
  drained(): void;
  /** It is gone, by `CLOSED_BY_CLIENT` or by another cause; called exactly once. */
  networkClosed(cause: string): void;
}
