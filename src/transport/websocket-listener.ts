import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
  STATUS_CODES,
} from 'node:http';
import type { Socket } from 'node:net';
import { WebSocketServer } from 'ws';
import { type Accept, type Listener, type ListenOptions, TCP_KEEP_ALIVE_MS } from './listener.js';
import { peerOf } from './peer.js';
import { bind } from './tcp-listener.js';
import { WebSocketConnection } from './websocket-connection.js';

export interface WebSocketListenOptions extends ListenOptions {
  /** Largest WebSocket message, whatever number of frames or packets it holds. */
  readonly messageBytesMax: number;
  /**
   * Pages whose scripts may connect, such as `https://example.org`; undefined lets all of them in.
   */
  readonly origins: readonly string[] | undefined;
  /** Whether `/readyz` says yes. */
  readonly ready: () => boolean;
}

const SUBPROTOCOLS = ['mqtt', 'mqttv3.1'];
const DEFAULT_PATHS = ['/mqtt', '/'];
const REQUEST_SECONDS_MAX = 10;

const NO_SUBPROTOCOL = `This is an MQTT broker: ask for the WebSocket subprotocol "mqtt".`;
const NOT_A_PAGE = 'This is an MQTT broker: connect with MQTT over WebSocket, subprotocol "mqtt".';
const NOTHING_HERE = 'There is nothing here. MQTT over WebSocket is at /mqtt.';
const FOREIGN_ORIGIN = 'Pages of this origin may not connect to this broker.';
const NOT_READY = 'The broker is starting or has failed.';

/** Binds a `ws://host:port/path` address; rejects with a `ListenError`. */
export function listenWebSocket(options: WebSocketListenOptions): Promise<Listener> {
  const server = createServer({
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: TCP_KEEP_ALIVE_MS,
    headersTimeout: REQUEST_SECONDS_MAX * 1000,
    requestTimeout: REQUEST_SECONDS_MAX * 1000,
  });
  return bind(server, options).then((url) => new WebSocketListener(server, url, options));
}

class WebSocketListener implements Listener {
  readonly url: string;
  readonly #server: Server;
  readonly #options: WebSocketListenOptions;
  readonly #paths: readonly string[];
  readonly #sockets = new Set<Socket>();
  readonly #webSockets: WebSocketServer;
  #accept: Accept | undefined = undefined;

  constructor(server: Server, url: string, options: WebSocketListenOptions) {
    this.url = url;
    this.#server = server;
    this.#options = options;
    const path = options.address.path;
    this.#paths = DEFAULT_PATHS.includes(path) ? DEFAULT_PATHS : [path];
    this.#webSockets = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      autoPong: false,
      maxPayload: options.messageBytesMax,
      handleProtocols: (offered) => SUBPROTOCOLS.find((name) => offered.has(name)) ?? false,
    });
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    server.on('request', (request, response) => this.#answer(request, response));
    server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) =>
      this.#upgrade(request, socket, head),
    );
  }

  get connections(): number {
    return this.#sockets.size;
  }

  start(accept: Accept): void {
    this.#accept = accept;
  }

  stopAccepting(): Promise<void> {
    this.#accept = undefined;
    return new Promise((resolve) => {
      this.#server.close();
      setImmediate(resolve);
    });
  }

  destroyConnections(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #upgrade(request: IncomingMessage, socket: Socket, head: Buffer): void {
    const accept = this.#accept;
    const origin = request.headers.origin;
    if (!this.#paths.includes(pathOf(request))) {
      refuseUpgrade(socket, 404, NOTHING_HERE);
    } else if (!offersSubprotocol(request)) {
      refuseUpgrade(socket, 400, NO_SUBPROTOCOL); // [MQTT-6.0.0-3]
    } else if (origin !== undefined && this.#options.origins?.includes(origin) === false) {
      refuseUpgrade(socket, 403, FOREIGN_ORIGIN);
    } else if (accept === undefined) {
      refuseUpgrade(socket, 503, NOT_READY);
    } else {
      const peer = peerOf(socket, this.url);
      this.#webSockets.handleUpgrade(request, socket, head, (webSocket) => {
        new WebSocketConnection(webSocket, socket, peer, accept);
      });
    }
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const path = pathOf(request);
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      answer(response, 405, 'Only GET and HEAD are answered here.', { Allow: 'GET, HEAD' });
    } else if (path === '/livez') {
      answer(response, 200, 'alive');
    } else if (path === '/readyz') {
      if (this.#accept !== undefined && this.#options.ready()) answer(response, 200, 'ready');
      else answer(response, 503, NOT_READY);
    } else if (this.#paths.includes(path)) {
      answer(response, 426, NOT_A_PAGE, { Upgrade: 'websocket', Connection: 'Upgrade' });
    } else {
      answer(response, 404, NOTHING_HERE);
    }
  }
}

function pathOf(request: IncomingMessage): string {
  const url = request.url ?? '/';
  const end = url.indexOf('?');
  return end < 0 ? url : url.slice(0, end);
}

function offersSubprotocol(request: IncomingMessage): boolean {
  const offered = request.headers['sec-websocket-protocol']?.split(',') ?? [];
  return offered.some((name) => SUBPROTOCOLS.includes(name.trim()));
}

function answer(
  response: ServerResponse,
  status: number,
  sentence: string,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, {
    'Content-Type': 'text/plain; charset=utf-8',
    'Cache-Control': 'no-store',
    ...headers,
  });
  response.end(`${sentence}\n`);
}

function refuseUpgrade(socket: Socket, status: number, sentence: string): void {
  const body = `${sentence}\n`;
  socket.on('error', () => socket.destroy());
  socket.setTimeout(REQUEST_SECONDS_MAX * 1000, () => socket.destroy());
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\n` +
      `Content-Type: text/plain; charset=utf-8\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    () => socket.destroySoon(),
  );
}
