import type { ClientAccess } from '../session/client-access.js';
import type { ClientView } from './hooks.js';

/** Who decides what clients may do: by rules, looked up once for each client. */
export interface AccessControl {
  /** For a client that was let in; undefined where it may do everything. */
  enter(client: ClientView): ClientAccess | undefined;
  /** For a Session whose client is away since the broker started. */
  restored(clientIdentifier: string, userName: string | undefined): ClientAccess | undefined;
  /** By the rules as they are now, for the client that `access` was made for. */
  renewed(access: ClientAccess): ClientAccess | undefined;
  /** A PUBLISH is denied that the protocol has no answer for: whether its connection ends. */
  readonly disconnectsDenied: boolean;
  /** Rules have taken a Subscription from a client: whether its connection ends. */
  readonly disconnectsRevoked: boolean;
}
