import type { Socket } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import type { Peer } from '../session/network-connection.js';
import { certificateFacts, hasExpired } from './certificate-facts.js';
import { describeHandshakeError } from './describe-handshake-error.js';
import { type Applicant, HandshakeGate } from './handshake-gate.js';
import type { Stage, StageEnd } from './listener.js';
import { type TlsContextEvents, TlsContexts } from './tls-contexts.js';
import type { TlsMaterial } from './tls-material.js';
import type { TlsOptions } from './tls-options.js';

export interface TlsStageOptions {
  readonly tls: TlsOptions;
  /** Told to clients that ask which protocol is inside (ALPN); without it nobody is told. */
  readonly protocols?: readonly string[];
  readonly events: TlsContextEvents & {
    /** A handshake came to nothing; `reason` is a sentence. */
    readonly refused: (peer: Peer, reason: string) => void;
  };
}

export interface TlsStage {
  readonly stage: Stage;
  /** What is in use now. */
  readonly material: TlsMaterial;
  /** Reads the files again. */
  reload(): Promise<void>;
  close(): void;
}

/** Makes a stage that speaks TLS; rejects with a `TlsMaterialError` that names the faults. */
export async function openTls(options: TlsStageOptions): Promise<TlsStage> {
  const contexts = await TlsContexts.open(options.tls, options.events);
  return new TlsDoor(options, contexts);
}

class TlsDoor implements TlsStage {
  readonly #options: TlsStageOptions;
  readonly #contexts: TlsContexts;
  readonly #gate: HandshakeGate;
  readonly #server: Server;
  readonly #handshakes = new WeakMap<Socket, Handshake>();
  readonly #identities = new WeakMap<Socket, string>();

  constructor(options: TlsStageOptions, contexts: TlsContexts) {
    const { handshakesPerSecondMax, handshakesMax } = options.tls;
    this.#options = options;
    this.#contexts = contexts;
    this.#gate = new HandshakeGate({
      perSecondMax: handshakesPerSecondMax,
      openMax: handshakesMax,
    });
    this.#server = this.#createServer();
    contexts.attach((own) => this.#server.setSecureContext(own));
  }

  readonly stage: Stage = (socket, peer, next) => {
    const { handshakeSecondsMax } = this.#options.tls;
    const handshake = new Handshake(socket, peer, next, {
      gate: this.#gate,
      begin: () => {
        this.#handshakes.set(socket, handshake);
        this.#server.emit('connection', socket);
      },
      refused: this.#options.events.refused,
    });
    handshake.wait(handshakeSecondsMax * 1000);
  };

  get material(): TlsMaterial {
    return this.#contexts.material;
  }

  reload(): Promise<void> {
    return this.#contexts.reload();
  }

  close(): void {
    this.#contexts.close();
    this.#gate.close();
  }

  #createServer(): Server {
    const { tls, protocols } = this.#options;
    const server = createServer({
      requestCert: tls.clientCertificate !== 'none',
      // A client without a certificate learns it from an alert; the rest is judged when it is in,
      // as is all where a pre-shared key does as well: not every Node knows that in TLS 1.2.
      rejectUnauthorized: tls.clientCertificate === 'required' && tls.pskFile === undefined,
      SNICallback: (name, answer) => answer(null, this.#contexts.contextFor(name)),
      ...(protocols !== undefined && { ALPNProtocols: [...protocols] }),
      ...(tls.pskFile !== undefined && { pskCallback: this.#keyOf }),
      ...(tls.pskHint !== undefined && { pskIdentityHint: tls.pskHint }),
    });
    server.on('secureConnection', (socket: TLSSocket) => this.#secured(socket));
    server.on('tlsClientError', (error, socket) => {
      const { authorizationError: code } = socket as { authorizationError?: Error | string };
      const cause = typeof code === 'string' ? failure(code) : error;
      this.#handshakeOf(socket).fail(describeHandshakeError(cause));
      socket.destroy();
    });
    return server;
  }

  readonly #keyOf = (socket: TLSSocket, identity: string): Buffer | null => {
    const key = this.#contexts.psk?.get(identity);
    if (key === undefined) return null;
    this.#identities.set(socket, identity);
    return key;
  };

  #secured(socket: TLSSocket): void {
    const handshake = this.#handshakeOf(socket);
    const { clientCertificate, userNameFrom, recordBytesMax } = this.#options.tls;
    const facts = clientCertificate === 'none' ? undefined : certificateFacts(socket, userNameFrom);
    const pskIdentity = this.#provenIdentity(socket);
    const isNeeded = clientCertificate === 'required' && pskIdentity === undefined;
    const absent = isNeeded ? failure('ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE') : undefined;
    const fault = facts === undefined ? absent : certificateFault(socket);
    if (fault !== undefined) {
      handshake.fail(describeHandshakeError(fault));
      return;
    }
    if (recordBytesMax !== undefined) socket.setMaxSendFragment(recordBytesMax);
    handshake.succeed(socket, {
      ...(facts !== undefined && { certificate: facts }),
      ...(pskIdentity !== undefined && { pskIdentity }),
    });
  }

  /**
   * An identity is looked up when the client names it; that it has the key is proven only where the
   * handshake was then built on it. Where no suite goes with a key, TLS goes on without it.
   */
  #provenIdentity(socket: TLSSocket): string | undefined {
    const isByKey = socket.isSessionReused() || socket.getCipher().name.includes('PSK');
    return isByKey ? this.#identities.get(socket) : undefined;
  }

  /** The socket that this one wraps has been seen before. */
  #handshakeOf(socket: TLSSocket): Handshake {
    const { _parent: inner } = socket as unknown as { readonly _parent: Socket };
    return this.#handshakes.get(inner)!;
  }
}

function certificateFault(socket: TLSSocket): NodeJS.ErrnoException | undefined {
  const code = socket.authorized
    ? hasExpired(socket) && 'CERT_HAS_EXPIRED'
    : String(socket.authorizationError);
  return code === false ? undefined : failure(code);
}

function failure(code: string): NodeJS.ErrnoException {
  return Object.assign(new Error(code), { code });
}

interface HandshakeParts {
  readonly gate: HandshakeGate;
  readonly begin: () => void;
  readonly refused: (peer: Peer, reason: string) => void;
}

const TOO_SLOW = 'the TLS handshake was not done in time';

/** One connection from its first byte to the end of its handshake. */
class Handshake implements Applicant {
  readonly host: string;
  readonly #socket: Socket;
  readonly #peer: Peer;
  readonly #next: StageEnd;
  readonly #parts: HandshakeParts;
  #hasSpoken = false;
  #isOver = false;
  #deadline: NodeJS.Timeout | undefined = undefined;

  constructor(socket: Socket, peer: Peer, next: StageEnd, parts: HandshakeParts) {
    this.host = peer.host;
    this.#socket = socket;
    this.#peer = peer;
    this.#next = next;
    this.#parts = parts;
  }

  get isGone(): boolean {
    return this.#isOver;
  }

  /** Who has sent nothing takes nobody's turn. */
  wait(handshakeMsMax: number): void {
    this.#deadline = setTimeout(() => {
      // Who connects and says nothing, as port scanners do, is no news.
      if (this.#hasSpoken) this.fail(TOO_SLOW);
      else this.#end();
    }, handshakeMsMax).unref();
    this.#socket.on('error', this.#ignore);
    // Of what has begun, TLS itself tells afterwards how it ended.
    this.#socket.once('close', () => setImmediate(() => this.#end()));
    this.#socket.on('readable', this.#spoke);
  }

  begin(): void {
    this.#socket.off('readable', this.#spoke);
    this.#parts.begin();
  }

  refuse(reason: string): void {
    this.fail(reason);
  }

  fail(reason: string): void {
    if (this.#isOver) return;
    this.#parts.refused(this.#peer, reason);
    this.#end();
  }

  succeed(inner: TLSSocket, learned: Partial<Peer>): void {
    if (this.#isOver) return;
    this.#leave();
    this.#next(inner, { ...this.#peer, ...learned });
  }

  readonly #spoke = (): void => {
    if (this.#hasSpoken) return;
    if (this.#socket.readableLength === 0) {
      this.#end();
      return;
    }
    this.#hasSpoken = true;
    this.#parts.gate.apply(this);
  };

  readonly #ignore = (): void => {};

  #end(): void {
    if (this.#isOver) return;
    this.#leave();
    this.#socket.destroy();
  }

  #leave(): void {
    this.#isOver = true;
    clearTimeout(this.#deadline);
    this.#parts.gate.leave(this);
  }
}
