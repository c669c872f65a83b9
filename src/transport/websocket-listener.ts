import type { IncomingMessage, ServerResponse } from 'node:http';
import type { BlockList } from 'node:net';
import type { Peer } from '../session/network-connection.js';
import { LateStreams } from './late-streams.js';
import type { Listener, ListenOptions } from './listener.js';
import { listenStreams, type StreamServer } from './tcp-listener.js';

/**
 * Gets each plain HTTP request first. True says that it answers; otherwise the listener's own pages
 * do.
 */
export type HttpHandler = (
  request: IncomingMessage,
  response: ServerResponse,
  /** Who asks, by the header of a trusted proxy too. */
  peer: Peer,
) => boolean;

export interface WebSocketListenOptions extends ListenOptions {
  /** Largest WebSocket message, whatever number of frames or packets it holds. */
  readonly messageBytesMax: number;
  /**
   * Pages whose scripts may connect, such as `https://example.org`; undefined lets all of them in.
   */
  readonly origins: readonly string[] | undefined;
  /** Proxies whose `X-Forwarded-For` is believed; none by default. */
  readonly trustedProxies?: BlockList;
  readonly httpHandler?: HttpHandler;
  /** For a whole request; 10 seconds by default. */
  readonly requestMsMax?: number;
  /** Whether `/readyz` says yes. */
  readonly ready: () => boolean;
  /** An upgrade or what is no HTTP was refused; `reason` is a sentence without its subject. */
  readonly onRefused?: (peer: Peer, reason: string) => void;
}

/** Binds an address for MQTT over WebSocket; rejects with a `ListenError`. */
export function listenWebSocket(options: WebSocketListenOptions): Promise<Listener> {
  // HTTP and WebSocket take 3 MiB, and most listeners of a default start never see a connection.
  const load = async (): Promise<StreamServer> => {
    const { WebSocketStreams } = await import('./websocket-streams.js');
    return new WebSocketStreams(options);
  };
  return listenStreams(options, new LateStreams(load, options.onFault));
}
