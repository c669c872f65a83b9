import type { Connection } from '../session/connection.js';
import type { Entry } from './authentication.js';
import type { ClientView, Identity } from './hooks.js';

/** A connection as hooks and the log see it. */
export function clientView(connection: Connection): ClientView {
  const { peer } = connection.network;
  return {
    clientIdentifier: connection.clientIdentifier,
    userName: connection.userName,
    protocolVersion: connection.version,
    address: peer.address,
    listener: peer.listener,
    identity: connection.identity,
  };
}

/** The Identity is kept on the connection and takes the place of what CONNECT said. */
export function identify(connection: Connection, identity: Identity): void {
  connection.identity = identity;
  connection.userName = identity.userName;
}

/** Where and how the client came in. */
export function entryOf(connection: Connection): Entry {
  const { network, policy } = connection;
  return {
    peer: network.peer,
    policy,
    isGone: () => connection.isClosed,
    whenGone: (stop) => {
      connection.left = stop;
    },
  };
}
