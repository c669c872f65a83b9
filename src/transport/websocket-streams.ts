import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
  STATUS_CODES,
} from 'node:http';
import { BlockList, type Socket } from 'node:net';
import { WebSocketServer } from 'ws';
import type { Peer } from '../session/network-connection.js';
import type { Accept } from './listener.js';
import { forwardedPeer, offeredSubprotocols, requestFacts } from './request-facts.js';
import type { StreamServer } from './tcp-listener.js';
import { WebSocketConnection } from './websocket-connection.js';
import type { WebSocketListenOptions } from './websocket-listener.js';

const SUBPROTOCOLS = ['mqtt', 'mqttv3.1'];
const DEFAULT_PATHS = ['/mqtt', '/'];
const REQUEST_MS_MAX = 10_000;
const LOOK_MS = 1000;
const SHOWN_MAX = 100;

const STATUS_OF_FAULT: Readonly<Record<string, number>> = {
  ERR_HTTP_REQUEST_TIMEOUT: 408,
  HPE_HEADER_OVERFLOW: 431,
};

const NO_SUBPROTOCOL = `This is an MQTT broker: ask for the WebSocket subprotocol "mqtt".`;
const NOT_A_PAGE = 'This is an MQTT broker: connect with MQTT over WebSocket, subprotocol "mqtt".';
const NOTHING_HERE = 'There is nothing here. MQTT over WebSocket is at /mqtt.';
const FOREIGN_ORIGIN = 'Pages of this origin may not connect to this broker.';
const NOT_READY = 'The broker is starting or has failed.';

/** Upgrades streams, and answers those that ask for pages. */
export class WebSocketStreams implements StreamServer {
  readonly isEarly = true;
  readonly #options: WebSocketListenOptions;
  readonly #paths: readonly string[];
  readonly #trustedProxies: BlockList;
  readonly #http: Server;
  readonly #webSockets: WebSocketServer;
  readonly #peers = new WeakMap<Socket, Peer>();
  #accept: Accept | undefined = undefined;

  constructor(options: WebSocketListenOptions) {
    this.#options = options;
    this.#trustedProxies = options.trustedProxies ?? new BlockList();
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
    const { requestMsMax = REQUEST_MS_MAX } = options;
    this.#http = createServer({
      headersTimeout: requestMsMax,
      requestTimeout: requestMsMax,
      connectionsCheckingInterval: LOOK_MS,
    });
    this.#http.on('request', (request, response) => this.#answer(request, response));
    this.#http.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) =>
      this.#upgrade(request, socket, head),
    );
    this.#http.on('clientError', (error: NodeJS.ErrnoException, socket) =>
      this.#notHttp(error, socket as Socket),
    );
    this.#webSockets.on('wsClientError', (error, socket) => {
      const reason = `its request for WebSocket is not valid: ${error.message}`;
      this.#refuse(socket as Socket, 400, `${error.message}.`, reason);
    });
    // It gets its connections by hand, and begins to look at its deadlines only when it listens.
    this.#http.emit('listening');
  }

  start(accept: Accept): void {
    this.#accept = accept;
  }

  serve(socket: Socket, peer: Peer): void {
    this.#peers.set(socket, peer);
    this.#http.emit('connection', socket);
  }

  stop(): void {
    this.#accept = undefined;
    this.#http.close();
  }

  #upgrade(request: IncomingMessage, socket: Socket, head: Buffer): void {
    const accept = this.#accept;
    const peer = this.#peers.get(socket)!;
    const origin = request.headers.origin;
    if (!this.#paths.includes(pathOf(request))) {
      this.#refuse(socket, 404, NOTHING_HERE, 'it asked for another path');
    } else if (!offeredSubprotocols(request).some((name) => SUBPROTOCOLS.includes(name))) {
      const reason = 'it did not ask for the subprotocol mqtt';
      this.#refuse(socket, 400, NO_SUBPROTOCOL, reason); // [MQTT-6.0.0-3]
    } else if (origin !== undefined && this.#options.origins?.includes(origin) === false) {
      const reason = `pages of ${shown(origin)} are not among the origins let in`;
      this.#refuse(socket, 403, FOREIGN_ORIGIN, reason);
    } else if (accept === undefined) {
      refuseUpgrade(socket, 503, NOT_READY);
    } else {
      const known = forwardedPeer(peer, request, this.#trustedProxies);
      this.#webSockets.handleUpgrade(request, socket, head, (webSocket) => {
        const client = { ...known, request: requestFacts(request) };
        new WebSocketConnection(webSocket, socket, client, accept);
      });
    }
  }

  #refuse(socket: Socket, status: number, sentence: string, reason: string): void {
    const peer = this.#peers.get(socket);
    if (peer !== undefined) this.#options.onRefused?.(peer, reason);
    refuseUpgrade(socket, status, sentence);
  }

  #notHttp(error: NodeJS.ErrnoException, socket: Socket): void {
    if (!socket.writable || error.code === 'ECONNRESET') {
      socket.destroy();
      return;
    }
    const status = STATUS_OF_FAULT[error.code ?? ''] ?? 400;
    const sentence = 'This is no HTTP request that can be answered.';
    this.#refuse(socket, status, sentence, `its HTTP cannot be read: ${error.message}`);
  }

  #isAnswered(request: IncomingMessage, response: ServerResponse): boolean {
    const { httpHandler } = this.#options;
    if (httpHandler === undefined) return false;
    const peer = this.#peers.get(request.socket)!;
    return httpHandler(request, response, forwardedPeer(peer, request, this.#trustedProxies));
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    if (this.#isAnswered(request, response)) return;
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

/** What a stranger wrote, short enough for a line of the log. */
function shown(text: string): string {
  return text.length <= SHOWN_MAX ? text : `${text.slice(0, SHOWN_MAX)}…`;
}

function pathOf(request: IncomingMessage): string {
  const url = request.url ?? '/';
  const end = url.indexOf('?');
  return end < 0 ? url : url.slice(0, end);
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
  socket.setTimeout(REQUEST_MS_MAX, () => socket.destroy());
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\n` +
      `Content-Type: text/plain; charset=utf-8\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    () => socket.destroySoon(),
  );
}
