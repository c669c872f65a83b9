import type { Connection } from '../session/connection.js';
import type { NetworkConnectionEvents } from '../session/network-connection.js';
import type { ConnectRefusal } from './hooks.js';

/** Who counts what comes in a second. Asked only for listeners whose policy has rates. */
export interface RateControl {
  /** Stands before a connection and counts its bytes. */
  meter(connection: Connection): NetworkConnectionEvents;
  /** CONNECT has come: too many from this address or through this listener? */
  arrives(connection: Connection): ConnectRefusal | undefined;
  /** It is known who the client is: too many with this Client Identifier or of this user? */
  enters(connection: Connection): ConnectRefusal | undefined;
  /** One PUBLISH, allowed or not. May suspend or end the connection. */
  message(connection: Connection): void;
}
