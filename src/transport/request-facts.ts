import type { IncomingMessage } from 'node:http';
import { type BlockList, isIP } from 'node:net';
import type { Peer, PeerRequest } from '../session/network-connection.js';
import { isAmong } from './networks.js';
import { addressOf } from './peer.js';

const BEARER_SUBPROTOCOL = 'bearer.';
const COOKIES_MAX = 100;

/** What an upgrade request says about its client; nothing of it has been judged. */
export function requestFacts(request: IncomingMessage): PeerRequest {
  return {
    url: request.url ?? '/',
    origin: request.headers.origin,
    cookies: cookiesOf(request.headers.cookie),
    token: bearerOf(request.headers.authorization) ?? offeredToken(request),
  };
}

/** The subprotocols that a client offers, in its order. */
export function offeredSubprotocols(request: IncomingMessage): string[] {
  const header = request.headers['sec-websocket-protocol'];
  return header === undefined ? [] : header.split(',').map((name) => name.trim());
}

/** Browsers cannot set headers on a WebSocket: a subprotocol is the one place left for a token. */
function offeredToken(request: IncomingMessage): string | undefined {
  const offered = offeredSubprotocols(request).find((name) => name.startsWith(BEARER_SUBPROTOCOL));
  const token = offered?.slice(BEARER_SUBPROTOCOL.length);
  return token === '' ? undefined : token;
}

function bearerOf(authorization: string | undefined): string | undefined {
  return /^bearer +([^\s]+) *$/i.exec(authorization ?? '')?.[1];
}

/** RFC 6265, 4.2: pairs between semicolons; the first of a name counts. */
function cookiesOf(header: string | undefined): Record<string, string> {
  const cookies: Record<string, string> = Object.create(null);
  for (const pair of (header ?? '').split(';', COOKIES_MAX)) {
    const [, name, value] = /^\s*([^=\s]+)\s*=\s*(.*?)\s*$/.exec(pair) ?? [];
    if (name === undefined || value === undefined || name in cookies) continue;
    cookies[name] = decoded(value.replace(/^"(.*)"$/, '$1'));
  }
  return cookies;
}

function decoded(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}

/**
 * The client that a trusted proxy forwards: in `X-Forwarded-For` each proxy adds behind the others
 * whom it got the request from, so the first from the end that is no trusted proxy is the client.
 */
export function forwardedPeer(peer: Peer, request: IncomingMessage, trusted: BlockList): Peer {
  if (!isAmong(trusted, peer.host)) return peer;
  const header = request.headers['x-forwarded-for'];
  const hops = (Array.isArray(header) ? header.join(',') : (header ?? '')).split(',');
  let client: Pick<Peer, 'address' | 'host'> | undefined;
  for (const hop of hops.toReversed()) {
    const named = hopAddress(hop.trim());
    if (named === undefined) break;
    client = named;
    if (!isAmong(trusted, named.host)) break;
  }
  return client === undefined ? peer : { ...peer, ...client, proxiedFrom: peer.address };
}

/** `192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1` or `[2001:db8::1]:4711`. */
function hopAddress(text: string): Pick<Peer, 'address' | 'host'> | undefined {
  if (isIP(text) !== 0) return addressOf(text, 0);
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const host = bracketed ?? plain ?? '';
  return isIP(host) === 0 ? undefined : addressOf(host, Number(port ?? 0));
}
