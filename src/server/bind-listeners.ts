import type { Logger } from '../base/log.js';
import type { Peer } from '../session/network-connection.js';
import {
  ListenError,
  type Listener,
  type ListenOptions,
  type Stage,
  urlOf,
} from '../transport/listener.js';
import { networksOf } from '../transport/networks.js';
import { proxyStage } from '../transport/proxy-stage.js';
import { listenTcp } from '../transport/tcp-listener.js';
import type { TlsStage } from '../transport/tls-stage.js';
import type { HttpHandler } from '../transport/websocket-listener.js';
import { CertificateLog } from './certificate-log.js';
import { snakeCase } from './config/vocabulary.js';
import type { Config, ListenConfig } from './config.js';
import { ExitCode, StartError } from './exit-code.js';
import { inheritedSockets } from './inherited-sockets.js';
import { describeListenFault } from './listen-fault.js';
import { type ListenerFault, listenerFaults } from './listener-faults.js';
import { RefusalLog } from './refusal-log.js';
import { TlsReload } from './tls-reload.js';

/** A WebSocket message may hold several packets: this much beside the largest one. */
const WEBSOCKET_SLACK_BYTES = 1_048_576;
/** Connections beyond `connections_max` that may be open to learn that there are too many. */
const STRANGERS_MAX = 4096;
/** For the header of a proxy. */
const PROXY_HEADER_MS_MAX = 10_000;

export interface ListenerParts {
  readonly log: Logger;
  /** Whether `/readyz` says yes. */
  readonly ready: () => boolean;
  readonly httpHandler: HttpHandler;
}

export interface BoundListeners {
  /** In the order of the configuration. */
  readonly listeners: readonly Listener[];
  readonly tls: TlsReload;
}

/**
 * Tries all addresses, so that one run shows every problem; keeps none unless all can be used.
 * Rejects with a `StartError`.
 */
export async function bindListeners(config: Config, parts: ListenerParts): Promise<BoundListeners> {
  const tls = new TlsReload();
  const inherited = inheritedSockets(process.env, process.pid);
  const bindings = config.listen.map((listen, i) =>
    new Binding(listen, config, parts, inherited, tls).bind().catch(async (error: unknown) => {
      throw new StartError(
        ExitCode.Failure,
        await sentencesOf(error, `listen[${i}] (${urlOf(listen.url)})`),
        error,
      );
    }),
  );
  const results = await Promise.allSettled(bindings);
  const listeners = results.flatMap((r) => (r.status === 'fulfilled' ? [r.value] : []));
  const errors = results.flatMap((r) => (r.status === 'rejected' ? [r.reason as StartError] : []));
  if (errors.length === 0) return { listeners, tls };
  await release(listeners);
  const sentences = errors.flatMap((error) => error.sentences);
  throw new StartError(ExitCode.Failure, sentences, errors[0]!.cause);
}

/** Frees the addresses and ends what is open. */
export async function release(listeners: readonly Listener[]): Promise<void> {
  await Promise.all(listeners.map((listener) => listener.stopAccepting()));
  for (const listener of listeners) listener.destroyConnections();
}

class ListenerFaultsError extends Error {
  readonly faults: readonly ListenerFault[];

  constructor(faults: readonly ListenerFault[]) {
    super(faults.map(({ key, sentence }) => `${key} ${sentence}`).join('; '));
    this.faults = faults;
  }
}

class Binding {
  readonly #listen: ListenConfig;
  readonly #config: Config;
  readonly #parts: ListenerParts;
  readonly #inherited: ReadonlyMap<string, number>;
  readonly #tls: TlsReload;
  readonly #url: string;
  readonly #refusals: RefusalLog;
  readonly #certificates: CertificateLog;

  constructor(
    listen: ListenConfig,
    config: Config,
    parts: ListenerParts,
    inherited: ReadonlyMap<string, number>,
    tls: TlsReload,
  ) {
    this.#listen = listen;
    this.#config = config;
    this.#parts = parts;
    this.#inherited = inherited;
    this.#tls = tls;
    this.#url = urlOf(listen.url);
    this.#refusals = new RefusalLog(parts.log);
    this.#certificates = new CertificateLog(parts.log, this.#url);
  }

  async bind(): Promise<Listener> {
    const faults = listenerFaults(this.#listen);
    if (faults.length > 0) throw new ListenerFaultsError(faults);
    const secure = await this.#openTls();
    try {
      const listener = await this.#listenOn(secure);
      if (secure !== undefined) this.#tls.add(this.#listen, secure);
      return listener;
    } catch (error) {
      this.#closeTls(secure);
      throw error;
    }
  }

  #closeTls(secure: TlsStage | undefined): void {
    secure?.close();
    this.#certificates.close();
  }

  async #listenOn(secure: TlsStage | undefined): Promise<Listener> {
    const { url, origins, limits, trustedProxies } = this.#listen;
    const options = this.#options(secure);
    if (url.scheme === 'mqtt' || url.scheme === 'mqtts') return listenTcp(options);
    const { listenWebSocket } = await import('../transport/websocket-listener.js');
    const packetBytesMax = limits.packetBytesMax ?? this.#config.limits.packetBytesMax;
    return listenWebSocket({
      ...options,
      messageBytesMax: packetBytesMax + WEBSOCKET_SLACK_BYTES,
      origins,
      trustedProxies: networksOf(trustedProxies)!,
      httpHandler: this.#parts.httpHandler,
      ready: this.#parts.ready,
      onRefused: ({ address }, reason) => {
        this.#refusals.warn(
          { event: 'upgrade_refused', address, listener: this.#url, reason },
          `${address} did not come in by WebSocket on ${this.#url}: ${reason}`,
        );
      },
    });
  }

  #options(secure: TlsStage | undefined): ListenOptions {
    const { url, limits, socketMode } = this.#listen;
    const { connectionsMax } = { ...this.#config.limits, ...limits };
    return {
      address: url,
      onFault: (sentence) => {
        this.#parts.log.error({ event: 'accept_failed', listener: this.#url }, sentence);
      },
      stages: [...this.#proxyStages(), ...(secure === undefined ? [] : [secure.stage])],
      connectionsMax: connectionsMax + STRANGERS_MAX,
      socketMode,
      inherited: this.#inherited,
      onStop: () => this.#closeTls(secure),
    };
  }

  #proxyStages(): Stage[] {
    const { proxyProtocol } = this.#listen;
    if (proxyProtocol === undefined) return [];
    const onRefused = (peer: Peer, reason: string): void => {
      const { address } = peer;
      this.#refusals.warn(
        { event: 'proxy_refused', address, listener: this.#url, reason },
        `${address} was refused on ${this.#url}, which is for proxies: ${reason}`,
      );
    };
    const trusted = networksOf(proxyProtocol.trusted)!;
    return [proxyStage({ trusted, headerMsMax: PROXY_HEADER_MS_MAX, onRefused })];
  }

  async #openTls(): Promise<TlsStage | undefined> {
    const { tls, url } = this.#listen;
    if (tls === undefined) return undefined;
    const certificates = this.#certificates;
    const { openTls } = await import('../transport/tls-stage.js');
    const stage = await openTls({
      tls,
      ...(url.scheme === 'wss' && { protocols: ['http/1.1'] }),
      events: {
        refused: (peer, reason) => {
          const { address } = peer;
          this.#refusals.warn(
            { event: 'handshake_failed', address, listener: this.#url, reason },
            `${address} did not come in by TLS on ${this.#url}: ${reason}`,
          );
        },
        reloaded: (material) => certificates.reloaded(material),
        failed: (faults) => certificates.failed(faults),
      },
    });
    certificates.opened(stage.material);
    return stage;
  }
}

async function sentencesOf(error: unknown, place: string): Promise<string[]> {
  const { TlsMaterialError } = await import('../transport/tls-material.js');
  if (error instanceof TlsMaterialError) {
    return error.faults.map(({ key, sentence }) => `${place}.tls.${snakeCase(key)}: ${sentence}`);
  }
  if (error instanceof ListenerFaultsError) {
    return error.faults.map(({ key, sentence }) => `${place}.${key}: ${sentence}`);
  }
  if (error instanceof ListenError && error.host === '') return [`${place}: ${error.message}`];
  return [await describeListenFault(error)];
}
