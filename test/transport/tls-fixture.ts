import { connect as connectSocket, type Socket, type TcpSocketConnectOpts } from 'node:net';
import { Duplex } from 'node:stream';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { onTestFinished } from 'vitest';
import type { Peer } from '../../src/session/network-connection.js';
import type { Listener, Stage } from '../../src/transport/listener.js';
import { listenTcp } from '../../src/transport/tcp-listener.js';
import type { TlsFault } from '../../src/transport/tls-material.js';
import type { TlsOptions } from '../../src/transport/tls-options.js';
import { openTls, type TlsStage } from '../../src/transport/tls-stage.js';
import { RecordingBroker } from './recorder.js';

export const plainTls: TlsOptions = {
  certificate: undefined,
  key: undefined,
  ca: undefined,
  clientCertificate: 'none',
  userNameFrom: undefined,
  revocationList: undefined,
  pskFile: undefined,
  pskHint: undefined,
  versions: ['1.2', '1.3'],
  ciphers: undefined,
  recordBytesMax: undefined,
  sni: [],
  handshakeSecondsMax: 10,
  handshakesPerSecondMax: 1000,
  handshakesMax: 100,
};

type ClientOptions = ConnectionOptions & Pick<TcpSocketConnectOpts, 'localAddress'>;

/** A listener that speaks TLS, and all that it tells. */
export class SecureListener {
  readonly broker: RecordingBroker = new RecordingBroker();
  readonly refusals: { readonly peer: Peer; readonly reason: string }[] = [];
  readonly faults: TlsFault[] = [];
  reloads = 0;
  listener!: Listener;
  tls!: TlsStage;
  #waiting: (() => void)[] = [];

  static async open(
    options: Partial<TlsOptions>,
    before: readonly Stage[] = [],
  ): Promise<SecureListener> {
    const secure = new SecureListener();
    secure.tls = await openTls({
      tls: { ...plainTls, ...options },
      events: {
        refused: (peer, reason) => secure.#tell(() => secure.refusals.push({ peer, reason })),
        reloaded: () => secure.#tell(() => secure.reloads++),
        failed: (faults) => secure.#tell(() => secure.faults.push(...faults)),
      },
    });
    secure.listener = await listenTcp({
      address: { scheme: 'mqtts', host: '127.0.0.1', port: 0, path: '' },
      onFault: () => {},
      stages: [...before, secure.tls.stage],
    });
    secure.listener.start(secure.broker.accept);
    onTestFinished(async () => {
      secure.tls.close();
      secure.listener.destroyConnections();
      await secure.listener.stopAccepting();
    });
    return secure;
  }

  get port(): number {
    return Number(new URL(this.listener.url).port);
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** A client without TLS. */
  raw(options: Pick<TcpSocketConnectOpts, 'localAddress'> = {}): Socket {
    const address = { port: this.port, host: '127.0.0.1' };
    const socket = connectSocket({ ...address, noDelay: true, ...options });
    socket.on('error', () => {});
    return socket;
  }

  connect(options: ClientOptions): TLSSocket {
    const socket = connect({ port: this.port, host: '127.0.0.1', ...options });
    socket.on('error', () => {});
    return socket;
  }

  /** Resolves when the client is in, or with the error that ended it. */
  async enter(options: ClientOptions): Promise<TLSSocket> {
    const socket = this.connect(options);
    await new Promise((resolve, reject) => {
      socket.once('secureConnect', resolve);
      socket.once('error', reject);
    });
    return socket;
  }

  #tell(note: () => void): void {
    note();
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

/** A stream that is no socket is what TLS reads through JavaScript, where it can be seen. */
export class PassThroughSocket extends Duplex {
  readonly #inner: Socket;

  constructor(inner: Socket, seen: (chunk: Buffer) => void) {
    super();
    this.#inner = inner;
    inner.on('data', (chunk: Buffer) => {
      seen(chunk);
      this.push(chunk);
    });
    inner.on('end', () => this.push(null));
  }

  override _read(): void {}

  override _write(chunk: Buffer, _: BufferEncoding, done: () => void): void {
    this.#inner.write(chunk, done);
  }
}
