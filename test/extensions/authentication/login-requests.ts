import type { AuthenticateRequest } from '../../../src/broker/hooks.js';
import { defaultListenerPolicy, type Guessing } from '../../../src/session/limits.js';
import type { Peer } from '../../../src/session/network-connection.js';

export interface Shown {
  readonly user?: string;
  readonly password?: string | Uint8Array;
  readonly client?: string;
  readonly host?: string;
  readonly peer?: Partial<Peer>;
  readonly methods?: readonly string[];
  readonly allowAnonymous?: boolean;
  readonly guessing?: Guessing;
  readonly isGone?: () => boolean;
  readonly whenGone?: (stop: () => void) => void;
}

/** What an authentication method is asked when a client shows this. */
export function loginRequest(shown: Shown = {}): AuthenticateRequest {
  const { password, host = '192.0.2.7', methods, allowAnonymous = false } = shown;
  const peer: Peer = {
    address: `${host}:50000`,
    host,
    listener: 'mqtt://192.0.2.2:1883',
    ...shown.peer,
  };
  return {
    clientIdentifier: shown.client ?? 'c',
    userName: shown.user,
    protocolVersion: 5,
    address: peer.address,
    listener: peer.listener,
    password: typeof password === 'string' ? Buffer.from(password) : password,
    userProperties: [],
    peer,
    policy: {
      ...defaultListenerPolicy,
      allowAnonymous,
      ...(shown.guessing !== undefined && { guessing: shown.guessing }),
      ...(methods !== undefined && { authentication: methods }),
    },
    isGone: shown.isGone ?? (() => false),
    whenGone: shown.whenGone ?? (() => {}),
  };
}
