import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Broker } from '../../broker/broker.js';
import type { Acceptance, ClientView, ConnectRefusal } from '../../broker/hooks.js';
import type { ListenerPolicy } from '../../session/limits.js';
import type { Peer } from '../../session/network-connection.js';
import { isFailure, ReasonCode } from '../../wire/reason-code.js';
import { isLoopback } from '../listen-url.js';
import { CONTENT_SECURITY_POLICY, renderPage } from './render.js';
import { type Snapshot, type SnapshotParts, takeSnapshot } from './snapshot.js';

const PAGE = '/status';
const JSON_PAGE = '/status.json';
/** Whoever may subscribe to it may see the page. */
const ASKED_TOPIC = '$SYS/#';
/** As rules and hooks see whoever looks at it. */
const CLIENT_IDENTIFIER = 'status-page';
const SNAPSHOT_MS = 1000;
const CREDENTIALS_BYTES_MAX = 8192;

const HEADERS: Readonly<Record<string, string>> = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy': CONTENT_SECURITY_POLICY,
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
};

export interface StatusPageParts extends SnapshotParts {
  readonly broker: Broker;
  /** Of the listeners that have the page, by their URLs as they are bound. */
  readonly policyOf: (listener: string) => ListenerPolicy | undefined;
}

interface Credentials {
  readonly userName: string;
  readonly password: Uint8Array;
}

/** How the broker does, for people and programs that log in as clients do. */
export class StatusPage {
  readonly #parts: StatusPageParts;
  #snapshot: Snapshot | undefined = undefined;
  #takenMs = Number.NEGATIVE_INFINITY;

  constructor(parts: StatusPageParts) {
    this.#parts = parts;
  }

  readonly handle = (request: IncomingMessage, response: ServerResponse, peer: Peer): boolean => {
    const path = (request.url ?? '').split('?', 1)[0];
    if (path !== PAGE && path !== JSON_PAGE) return false;
    const policy = this.#parts.policyOf(peer.listener);
    if (policy === undefined) return false;
    void this.#answer(request, response, peer, policy, path).catch(() => {
      end(response, 500, 'The status cannot be told.');
    });
    return true;
  };

  async #answer(
    request: IncomingMessage,
    response: ServerResponse,
    peer: Peer,
    policy: ListenerPolicy,
    path: string,
  ): Promise<void> {
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      end(response, 405, 'Only GET and HEAD are answered here.', { Allow: 'GET, HEAD' });
    } else if (!isHostOf(peer.listener, request.headers.host)) {
      end(response, 421, 'This listener is not reached by that name.');
    } else if (!(await this.#mayLook(request, response, peer, policy))) {
      const challenge = { 'WWW-Authenticate': 'Basic realm="Dunlin", charset="UTF-8"' };
      end(response, 401, 'Log in as a user who may subscribe to $SYS/#.', challenge);
    } else if (path === JSON_PAGE) {
      end(response, 200, JSON.stringify(this.#now()), { 'Content-Type': 'application/json' });
    } else {
      const type = { 'Content-Type': 'text/html; charset=utf-8' };
      end(response, 200, renderPage(this.#now()), type);
    }
  }

  async #mayLook(
    request: IncomingMessage,
    response: ServerResponse,
    peer: Peer,
    policy: ListenerPolicy,
  ): Promise<boolean> {
    const { broker } = this.#parts;
    const credentials = credentialsOf(request.headers.authorization);
    const { address, listener } = peer;
    const claimed: ClientView = {
      clientIdentifier: CLIENT_IDENTIFIER,
      userName: credentials?.userName,
      protocolVersion: 5,
      address,
      listener,
    };
    if (broker.hooks.authenticate.empty) return broker.access.mayReceive(claimed, ASKED_TOPIC);
    const decision = await broker.hooks.authenticate.run(claimed, {
      ...claimed,
      password: credentials?.password,
      userProperties: [],
      peer,
      policy,
      isGone: () => request.socket.destroyed,
      // Not of the socket, which is there for many requests.
      whenGone: (stop) => void response.once('close', stop),
    });
    const answer = typeof decision === 'number' ? { reasonCode: decision } : decision;
    if (isFailure(answer.reasonCode)) return false;
    const known = isAcceptance(answer)
      ? { ...claimed, userName: answer.identity.userName, identity: answer.identity }
      : claimed;
    return broker.access.mayReceive(known, ASKED_TOPIC);
  }

  /** Looking often costs no more than looking once a second. */
  #now(): Snapshot {
    const nowMs = performance.now();
    if (this.#snapshot === undefined || nowMs - this.#takenMs >= SNAPSHOT_MS) {
      this.#snapshot = takeSnapshot(this.#parts);
      this.#takenMs = nowMs;
    }
    return this.#snapshot;
  }
}

function isAcceptance(answer: ConnectRefusal | Acceptance): answer is Acceptance {
  return answer.reasonCode === ReasonCode.Success && 'identity' in answer;
}

/** RFC 7617. */
function credentialsOf(header: string | undefined): Credentials | undefined {
  const [, encoded] = /^Basic +([A-Za-z0-9+/=]+) *$/i.exec(header ?? '') ?? [];
  if (encoded === undefined || encoded.length > CREDENTIALS_BYTES_MAX) return undefined;
  const bytes = Buffer.from(encoded, 'base64');
  const colon = bytes.indexOf(':');
  if (colon < 0) return undefined;
  const userName = bytes.subarray(0, colon).toString('utf8');
  return { userName, password: bytes.subarray(colon + 1) };
}

/**
 * A page elsewhere may make its own name lead to this machine and then read what is here: where a
 * listener is for this machine alone, only names that always lead here are answered.
 */
function isHostOf(listener: string, host: string | undefined): boolean {
  const { hostname } = new URL(listener);
  if (!isLoopback(hostname.replaceAll(/[[\]]/g, ''))) return true;
  const asked = URL.canParse(`http://${host}`) ? new URL(`http://${host}`).hostname : '';
  return asked === 'localhost' || isLoopback(asked.replaceAll(/[[\]]/g, ''));
}

function end(
  response: ServerResponse,
  status: number,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  const type = { 'Content-Type': 'text/plain; charset=utf-8' };
  response.writeHead(status, { ...HEADERS, ...type, ...headers });
  response.end(`${body}\n`);
}
