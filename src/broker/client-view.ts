import type { Connection } from '../session/connection.js';
import type { ClientView } from './hooks.js';

/** A connection as hooks and the log see it. */
export function clientView(connection: Connection): ClientView {
  const { peer } = connection.network;
  return {
    clientIdentifier: connection.clientIdentifier,
    userName: connection.userName,
    protocolVersion: connection.version,
    address: peer.address,
    listener: peer.listener,
  };
}
